import type { Bus } from '#lib/bus';
import { execCommand, WorkspaceUsed, workspaceUsedSubject } from '#lib/contracts';
import type { Subscription } from '@nats-io/transport-node';

/** The longest that a command may take: nothing keeps a workspace awake for longer without being asked again. */
const maxUseMs = execCommand.timeoutMs;

/** A daemon tells of a use once a second, and of each command: tens a second at most. An agent could send without end. */
const maxPerSecond = 500;
/** What it tells is some twenty bytes. */
const maxBytes = 1_024;

/**
 * When each workspace was last asked for something, as its daemon says: nobody has to report what he asks. A command
 * counts until the time it may take is over. Not promised across a restart: what was seen before it is unknown.
 */
export class Activity {
  private readonly usedUntil = new Map<string, number>();
  private readonly counts = new Map<string, number>();
  private second = 0;
  private subscription: Subscription | undefined;

  /** `onFlood` is told once a second of an agent that sends more than a daemon does. */
  constructor(
    private readonly bus: Bus,
    private readonly onFlood: (agentId: string) => void,
  ) {}

  start(): void {
    this.subscription = this.bus.connection.subscribe(workspaceUsedSubject('*'), {
      callback: (error, message) => {
        const agentId = message?.subject.split('.')[1];
        if (error || !agentId || this.isTooMuch(agentId) || message.data.length > maxBytes) return;
        this.touch(agentId, durationOf(message.string()));
      },
    });
  }

  private isTooMuch(agentId: string): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.second) this.counts.clear();
    this.second = second;
    const count = (this.counts.get(agentId) ?? 0) + 1;
    this.counts.set(agentId, count);
    if (count === maxPerSecond + 1) this.onFlood(agentId);
    return count > maxPerSecond;
  }

  stop(): void {
    if (this.subscription && !this.subscription.isClosed()) this.subscription.unsubscribe();
  }

  touch(agentId: string, forMs = 0): void {
    this.usedUntil.set(agentId, Math.max(this.usedUntil.get(agentId) ?? 0, Date.now() + Math.min(forMs, maxUseMs)));
  }

  forget(agentId: string): void {
    this.usedUntil.delete(agentId);
  }

  /** Undefined when nothing was seen. */
  idleMs(agentId: string): number | undefined {
    const until = this.usedUntil.get(agentId);
    return until === undefined ? undefined : Math.max(0, Date.now() - until);
  }
}

function durationOf(payload: string): number {
  try {
    return WorkspaceUsed.parse(JSON.parse(payload)).forMs;
  } catch {
    return 0; // used all the same
  }
}
