import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { sendMessages, type SendOutcome, type SendRequest } from './send-messages.js';

const MAX_BATCH = 64;
const MAX_BATCH_CHARS = 2_000_000;

interface Waiting {
  request: SendRequest;
  resolve(outcome: SendOutcome): void;
  reject(error: unknown): void;
}

/**
 * Gathers the sends that arrive while a commit runs into the next one: a commit costs a disk flush and a statement,
 * however many messages it holds. One at a time: two that run side by side hold half as many each, and are slower.
 * A message that finds none running waits for nothing; one that cannot be stored is told so by itself and never
 * spoils its neighbours.
 */
@Injectable()
export class SendBatcher {
  private readonly waiting: Waiting[] = [];
  private isRunning = false;

  constructor(private readonly database: Database) {}

  /** Resolves once the message is on disk. */
  send(request: SendRequest): Promise<SendOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.waiting.length > 0) await this.commit(this.take());
    this.isRunning = false;
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
