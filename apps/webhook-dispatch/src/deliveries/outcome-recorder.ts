import { webhookEndpointDisabled } from '#lib/contracts';
import { type Database, isDatabaseAway, newId, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { setTimeout as sleep } from 'node:timers/promises';
import { disableFailing, markFailing, markHealthy, type Receiver } from '../endpoints/endpoints.repository.js';
import { expandEvent } from '../events/expand-event.js';
import { recordTries } from './outcomes.repository.js';
import { endLeased } from './queue.repository.js';
import type { Outcome } from './send-delivery.js';

const BATCH = 500;
const TRIES = 5;
const BATCH_WINDOW_MS = 5;

/** Records outcomes in batches: whatever arrives while one commit is under way shares the next. */
export class OutcomeRecorder {
  private waiting: Outcome[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  add(outcome: Outcome): void {
    this.waiting.push(outcome);
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  /** Resolves when everything added so far is recorded or given up. */
  async drain(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      // Nobody waits for an outcome: a few more of them share the commit.
      if (this.waiting.length < BATCH) await sleep(BATCH_WINDOW_MS);
      await this.record(this.waiting.splice(0, BATCH));
    }
  }

  /**
   * Given up after a while: the leases end and the deliveries are sent again with the same ids. What cannot be recorded
   * together is recorded one by one: an outcome that the database refuses shall not have those of others sent again.
   */
  private async record(outcomes: Outcome[]): Promise<void> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      try {
        await this.database.transaction((tx) => recordOutcomes(tx, outcomes));
        return;
      } catch (error) {
        this.logger.error({ err: error, attempt, outcomes: outcomes.length }, 'webhook outcomes could not be recorded');
        if (outcomes.length > 1 && !isDatabaseAway(error)) {
          for (const outcome of outcomes) await this.record([outcome]);
          return;
        }
        await sleep(200 * attempt);
      }
    }
  }
}

/**
 * Records tries in one transaction: history, what is next for each delivery, the endpoints' health. What is left out of
 * the history says nothing of health either.
 */
export async function recordOutcomes(tx: Transaction, outcomes: Outcome[]): Promise<void> {
  const { taken, cancelled } = await recordTries(tx, outcomes);
  await endLeased(tx, cancelled);
  await recordHealth(tx, taken);
}

/** An endpoint is healthy again by one success, whatever else is recorded with it. */
async function recordHealth(tx: Transaction, outcomes: Outcome[]): Promise<void> {
  const receivers = new Map<string, Receiver & { isHealthy: boolean }>();
  for (const { delivery, status, isGone } of outcomes) {
    const { endpoint_id: id, url } = delivery;
    const before = receivers.get(`${id} ${url}`);
    receivers.set(`${id} ${url}`, {
      id,
      url,
      isHealthy: status === 'succeeded' || before?.isHealthy === true,
      isGone: isGone || before?.isGone === true,
    });
  }
  const succeeded = [...receivers.values()].filter(({ isHealthy }) => isHealthy);
  const failed = [...receivers.values()].filter(({ isHealthy }) => !isHealthy);
  if (succeeded.length > 0) await markHealthy(tx, succeeded);
  if (failed.length === 0) return;
  await markFailing(tx, failed);
  await disableEndpoints(tx, failed);
}

/** Disables what answered 410 or has failed for five days; the account's other endpoints get an `agent.error`. */
async function disableEndpoints(tx: Transaction, failed: Receiver[]): Promise<void> {
  const disabled = await disableFailing(tx, failed);
  for (const { id, account_id: accountId, agent_ids, source, disabled_reason: reason } of disabled) {
    const occurredAt = new Date();
    const agentId = source === 'agent' ? (agent_ids?.[0] ?? null) : null;
    await tx.outbox(webhookEndpointDisabled, { accountId, endpointId: id, reason, occurredAt }, id);
    await expandEvent(tx, {
      id: newId(),
      accountId,
      agentId,
      type: 'agent.error',
      occurredAt,
      data: {
        agent_id: agentId,
        error: {
          code: 'WEBHOOK_DISABLED',
          message:
            reason === 'gone'
              ? 'a webhook endpoint answered 410 and was disabled'
              : 'a webhook endpoint failed for five days and was disabled',
        },
        endpoint_id: id,
      },
    });
  }
}
