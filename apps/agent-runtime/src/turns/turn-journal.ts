import type { ClaimedTurn } from '#lib/contracts';
import type { Logger } from '#lib/observability';
import type { ModelMessage } from 'ai';
import type { AttemptRecord } from '../runs/attempts.repository.js';
import type { WaitingCall } from '../approvals/waiting-call.js';
import type { OpenCall, UnfinishedTurnsRepository, UnfinishedWork } from '../sessions/unfinished-turns.repository.js';

/** A turn that is over sooner costs no write. */
const EVERY_MS = 1_000;

/**
 * Writes down what a turn has done so far, about once a second while it changes, so that another worker goes on from
 * there. Not promised: the last second before a worker is killed.
 */
export class TurnJournal {
  /** The turn's batch as the model is given it. */
  asked: ModelMessage | undefined;
  private stepMessages: ModelMessage[] = [];
  private reply = '';
  private stepText = '';
  private open = new Map<string, OpenCall>();
  private waiting: WaitingCall[] = [];
  private hasChanged = false;
  private writing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly unfinished: UnfinishedTurnsRepository,
    private readonly turn: ClaimedTurn,
    private readonly record: () => AttemptRecord,
    private readonly logger: Logger,
  ) {
    this.timer = setInterval(() => {
      if (this.hasChanged) this.write();
    }, EVERY_MS);
  }

  /** `messages`: all of finished steps; `reply`: the text up to there; `waiting`: calls of the last step without a result. */
  stepFinished(messages: ModelMessage[], reply: string, waiting: WaitingCall[] = []): void {
    this.stepMessages = messages;
    this.reply = reply;
    this.stepText = '';
    this.open.clear();
    this.waiting = waiting;
    this.hasChanged = true;
  }

  callStarted(call: OpenCall, stepText: string): void {
    this.open.set(call.toolCallId, call);
    this.stepText = stepText;
    this.hasChanged = true;
  }

  callFinished(toolCallId: string, text: string, isError: boolean): void {
    const call = this.open.get(toolCallId);
    if (!call) return;
    call.output = { text, isError };
    this.hasChanged = true;
  }

  /**
   * Writes down what was done so far, and resolves when it is on disk: before somebody else may go on with it, and once
   * what must not be done twice is done. Errors: the database's.
   */
  async flush(): Promise<void> {
    this.hasChanged = false;
    const written = this.writing.then(() => this.unfinished.keep(this.turn, this.work(), this.record()));
    this.writing = written.catch(() => undefined);
    await written;
  }

  /** Writes the rest, for a turn that another attempt is to go on with; returns whether there was any. */
  async keep(): Promise<boolean> {
    clearInterval(this.timer);
    const isWritten = this.hasChanged && this.write();
    await this.writing;
    return isWritten;
  }

  /** Writes nothing more; resolves when nothing is on its way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.hasChanged = false;
    await this.writing;
  }

  private write(): boolean {
    this.hasChanged = false;
    const work = this.work();
    if (work.said.length === 0 && work.open.length === 0) return false;
    this.writing = this.writing
      .then(() => this.unfinished.keep(this.turn, work, this.record()))
      .catch((err: unknown) =>
        this.logger.warn({ err, turnId: this.turn.turnId }, 'the work of a turn could not be written down'),
      );
    return true;
  }

  private work(): UnfinishedWork {
    return {
      turnId: this.turn.turnId,
      messageIds: this.turn.messages.map(({ id }) => id),
      ...(this.asked ? { asked: this.asked } : {}),
      said: this.stepMessages,
      reply: this.reply,
      stepText: this.stepText,
      open: [...this.open.values()].map((call) => ({ ...call })),
      waiting: this.waiting,
    };
  }
}
