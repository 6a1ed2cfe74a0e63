import type { AgentConfiguration } from '#lib/contracts';
import { fillTemplate } from '#lib/template';
import { MAX_HOOK_CHARACTERS } from '../context/new-messages.js';
import type { TurnView } from './turn-view.js';

const DEFAULT_INTERVAL_MS = 120_000;

/** Informs a running agent of messages that came since it began: when their number grows, and again per interval while they wait. */
export class Reminders {
  private waiting = 0;
  private announced = 0;
  private announcedAt = 0;

  constructor(private readonly configuration: AgentConfiguration) {}

  /** From the lease's heartbeat. */
  updateCount(waiting: number): void {
    this.waiting = waiting;
  }

  get count(): number {
    return this.waiting;
  }

  /** Before a step: puts the announcement at the end of what the model sees. */
  announce(view: TurnView, at: number): void {
    if (this.waiting === 0) {
      this.announced = 0;
      return;
    }
    const interval = this.configuration.unreadReminderIntervalMs ?? DEFAULT_INTERVAL_MS;
    if (this.waiting <= this.announced && Date.now() - this.announcedAt < interval) return;
    this.announced = this.waiting;
    this.announcedAt = Date.now();
    const template = this.configuration.hookMessages?.unreadMessageReminder;
    const plain = `${this.waiting} new ${this.waiting === 1 ? 'message waits' : 'messages wait'}: finish or wrap up, they are handed to you next; read_messages shows them`;
    view.note(
      at,
      template
        ? fillTemplate(template, (name) => (name === 'count' ? String(this.waiting) : undefined), MAX_HOOK_CHARACTERS)
            .text
        : plain,
    );
  }
}
