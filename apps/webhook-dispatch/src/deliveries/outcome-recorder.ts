import { webhookEndpointDisabled } from '#lib/contracts';
import { type Database, isDatabaseAway, newId, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { setTimeout as sleep } from 'node:timers/promises';
import { disableFailing, markFailing, markHealthy } from '../endpoints/endpoints.repository.js';
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

/** Records tries in one transaction: history, what is next for each delivery, the endpoints' health. */
export async function recordOutcomes(tx: Transaction, outcomes: Outcome[]): Promise<void> {
  await endLeased(tx, await recordTries(tx, outcomes));
  await recordHealth(tx, outcomes);
}

async function recordHealth(tx: Transaction, outcomes: Outcome[]): Promise<void> {
  const endpointsOf = (is: (outcome: Outcome) => boolean) => [
    ...new Set(outcomes.filter(is).map(({ delivery }) => delivery.endpoint_id)),
  ];
  const succeeded = endpointsOf(({ status }) => status === 'succeeded');
  const failed = endpointsOf(({ status }) => status !== 'succeeded').filter((id) => !succeeded.includes(id));
  if (succeeded.length > 0) await markHealthy(tx, succeeded);
  if (failed.length === 0) return;
  await markFailing(tx, failed);
  await disableEndpoints(
    tx,
    failed,
    endpointsOf(({ isGone }) => isGone),
  );
}

/** Disables what answered 410 or has failed for five days; the account's other endpoints get an `agent.error`. */
async function disableEndpoints(tx: Transaction, failed: string[], gone: string[]): Promise<void> {
  const disabled = await disableFailing(tx, failed, gone);
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
