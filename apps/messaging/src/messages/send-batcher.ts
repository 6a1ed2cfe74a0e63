import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { sendMessages, type SendOutcome, type SendRequest } from './send-messages.js';

const MAX_BATCH = 64;
const MAX_BATCH_CHARS = 2_000_000;
/** While one commits, this process prepares the other's next batch and answers its last. */
const LANES = 2;
/** How long after a commit the next may wait for others, and for which share of those that the commit held. */
const GATHER_MS = 2;
const GATHERED_SHARE = 0.6;

interface Waiting {
  request: SendRequest;
  resolve(outcome: SendOutcome): void;
  reject(error: unknown): void;
}

/**
 * Gathers the sends that arrive while a commit runs into the next one: a commit costs a disk flush, however many
 * messages it holds. While an agent has messages under way, more of them go the same way, so that they keep their
 * order and no commit waits for agents that the other has locked. A message that finds nothing running waits for
 * nothing; just after a commit of several it waits 2 ms at most.
 */
@Injectable()
export class SendBatcher {
  private readonly lanes: Lane[];
  /** Of each agent with messages under way. */
  private readonly taken = new Map<string, { lane: Lane; messages: number }>();

  constructor(database: Database) {
    this.lanes = Array.from({ length: LANES }, () => new Lane(database));
  }

  /** Resolves once the message is on disk. */
  async send(request: SendRequest): Promise<SendOutcome> {
    const { agentId } = request.input;
    const way = this.taken.get(agentId) ?? { lane: this.shortest(), messages: 0 };
    this.taken.set(agentId, way);
    way.messages += 1;
    try {
      return await way.lane.send(request);
    } finally {
      way.messages -= 1;
      if (way.messages === 0) this.taken.delete(agentId);
    }
  }

  private shortest(): Lane {
    return this.lanes.reduce((shortest, lane) => (lane.length < shortest.length ? lane : shortest));
  }
}

/** One commit at a time. A message that cannot be stored is told so by itself and never spoils its neighbours. */
class Lane {
  private readonly waiting: Waiting[] = [];
  private isRunning = false;
  private underWay = 0;
  private last = { size: 0, at: 0 };
  private onSend: (() => void) | undefined;

  constructor(private readonly database: Database) {}

  /** Messages that are not on disk yet. */
  get length(): number {
    return this.waiting.length + this.underWay;
  }

  send(request: SendRequest): Promise<SendOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      this.onSend?.();
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.waiting.length > 0) {
      await this.gather();
      const batch = this.take();
      await this.commit(batch);
      this.last = { size: batch.length, at: performance.now() };
    }
    this.underWay = 0;
    this.isRunning = false;
  }

  /** Right after a commit, waits a moment for most of those it has answered: they send again, and together. */
  private async gather(): Promise<void> {
    const enough = this.last.size * GATHERED_SHARE;
    const ms = this.last.at + GATHER_MS - performance.now();
    if (this.waiting.length >= enough || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.onSend = () => {
        if (this.waiting.length < enough) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.onSend = undefined;
  }

  private take(): Waiting[] {
    let size = 0;
    let chars = 0;
    for (const { request } of this.waiting) {
      chars += request.input.content.length;
      if (size === MAX_BATCH || (size > 0 && chars > MAX_BATCH_CHARS)) break;
      size++;
    }
    return this.waiting.splice(0, size);
  }

  private async commit(batch: Waiting[]): Promise<void> {
    this.underWay = batch.length;
    try {
      const requests = batch.map(({ request }) => request);
      const outcomes = await sendMessages(this.database, requests);
      batch.forEach(({ resolve }, index) => resolve(outcomes[index]!));
    } catch (error) {
      // Which of them failed is not known: each alone, so that only the culprit is refused.
      if (batch.length === 1) batch[0]!.reject(error);
      else for (const one of batch) await this.commit([one]);
    }
  }
}
