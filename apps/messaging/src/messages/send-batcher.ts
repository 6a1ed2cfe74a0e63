import { outsideCalls } from '#lib/call-context';
import { Database, isDatabaseAway } from '#lib/database';
import { FairQueue } from '#lib/fair-slots';
import { Injectable } from '@nestjs/common';
import { sendMessages, type SendOutcome, type SendRequest } from './send.repository.js';

const MAX_BATCH = 64;
/** A batch may exceed it by one message. */
const MAX_BATCH_CHARS = 2_000_000;

interface Waiting {
  request: SendRequest;
  resolve(outcome: SendOutcome): void;
  reject(error: unknown): void;
}

/**
 * Collects the sends that arrive while a commit runs into the next one: a commit costs a disk flush and a statement,
 * however many messages it holds. One at a time: two that run concurrently hold half as many each, and are slower.
 * A commit is filled round robin from the accounts, so that one that floods delays no other by more than that. A message that
 * finds none running waits for nothing; one that cannot be stored is refused alone and never
 * fails the others of its batch. While the database is away all of a batch fail: they may be stored, and are not stored again.
 */
@Injectable()
export class SendBatcher {
  private readonly waiting = new FairQueue<Waiting>();
  private isRunning = false;

  constructor(private readonly database: Database) {}

  /** Resolves once the message is on disk. */
  send(request: SendRequest): Promise<SendOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push(request.accountId, { request, resolve, reject });
      // The batches that follow are not this caller's.
      if (!this.isRunning) void outsideCalls(() => this.run());
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.waiting.size > 0) await this.commit(this.take());
    this.isRunning = false;
  }

  private take(): Waiting[] {
    const batch: Waiting[] = [];
    let chars = 0;
    while (batch.length < MAX_BATCH && chars < MAX_BATCH_CHARS) {
      const next = this.waiting.shift();
      if (!next) break;
      batch.push(next);
      chars += next.request.input.content.length;
    }
    return batch;
  }

  private async commit(batch: Waiting[]): Promise<void> {
    try {
      const requests = batch.map(({ request }) => request);
      const outcomes = await sendMessages(this.database, requests);
      batch.forEach(({ resolve }, index) => resolve(outcomes[index]!));
    } catch (error) {
      // The commit of a lost connection may have been made. Else which of them failed is not known: each alone, so that
      // only the culprit is refused.
      if (batch.length === 1 || isDatabaseAway(error)) for (const { reject } of batch) reject(error);
      else for (const one of batch) await this.commit([one]);
    }
  }
}
