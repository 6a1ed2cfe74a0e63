import type { ApiClient } from '#lib/testing';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 1_000;
/** A message that is not answered in so long counts as not answered. */
const PATIENCE_MS = 30_000;

export interface GoodOutcome {
  sent: number;
  /** From the send until the reply was read, in milliseconds. */
  latencies: number[];
  failures: string[];
}

/** Sends one message a second, whether or not the ones before are answered, and waits for every reply. */
export async function beGood(api: ApiClient, agentId: string, seconds: number): Promise<GoodOutcome> {
  const outcome: GoodOutcome = { sent: 0, latencies: [], failures: [] };
  const exchanges: Promise<void>[] = [];
  for (let n = 0; n < seconds; n += 1) {
    exchanges.push(exchange(api, agentId, n, outcome));
    await sleep(EVERY_MS);
  }
  await Promise.all(exchanges);
  return outcome;
}

async function exchange(api: ApiClient, agentId: string, n: number, outcome: GoodOutcome): Promise<void> {
  outcome.sent += 1;
  const startedAt = performance.now();
  try {
    const path = `/v1/agent/${agentId}/messages`;
    // A conversation each: a batch would answer several with one reply, and hide how long one takes.
    const sent = await api<{ id: string }>('POST', path, { content: `hello ${n}`, conversation_id: `c${n}` });
    if (sent.status !== 201) throw new Error(`message ${n} was answered ${sent.status}`);
    const wait = PATIENCE_MS / 1_000;
    const { status, body } = await api<{ replies?: unknown[] }>('GET', `${path}/${sent.body.id}?wait=${wait}`);
    if (status !== 200 || body.replies?.length !== 1) throw new Error(`message ${n} has no reply (${status})`);
    outcome.latencies.push(performance.now() - startedAt);
  } catch (error) {
    outcome.failures.push(error instanceof Error ? error.message : String(error));
  }
}
