import type { ApiClient } from '#lib/testing';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 1_000;
/** A message that is not answered in so long counts as not answered. */
const PATIENCE_MS = 30_000;

/** From the send until its answer, and until the reply was read. */
export interface Exchange {
  n: number;
  acceptedMs: number;
  answeredMs: number;
  /** By the server's clock, from when the message was stored: until a turn had it, and until that turn ended. */
  claimedMs: number;
  readMs: number;
}

interface Answered {
  message: { created_at: string; delivered_at: string | null; read_at: string | null };
  replies?: unknown[];
}

export interface GoodOutcome {
  sent: number;
  exchanges: Exchange[];
  failures: string[];
}

/** Sends one message a second, whether or not the ones before are answered, and waits for every reply. */
export async function beGood(api: ApiClient, agentId: string, seconds: number): Promise<GoodOutcome> {
  const outcome: GoodOutcome = { sent: 0, exchanges: [], failures: [] };
  const running: Promise<void>[] = [];
  for (let n = 0; n < seconds; n += 1) {
    running.push(exchange(api, agentId, n, outcome));
    await sleep(EVERY_MS);
  }
  await Promise.all(running);
  return outcome;
}

async function exchange(api: ApiClient, agentId: string, n: number, outcome: GoodOutcome): Promise<void> {
  outcome.sent += 1;
  const startedAt = performance.now();
  try {
    const path = `/v1/agent/${agentId}/messages`;
    // A conversation each: a batch would answer several with one reply, and hide how long one takes.
    const sent = await api<{ id: string }>('POST', path, { content: `hello ${n}`, conversation_id: `c${n}` });
    const acceptedMs = performance.now() - startedAt;
    if (sent.status !== 201) throw new Error(`message ${n} was answered ${sent.status}`);
    const wait = PATIENCE_MS / 1_000;
    const { status, body } = await api<Answered>('GET', `${path}/${sent.body.id}?wait=${wait}`);
    if (status !== 200 || body.replies?.length !== 1) throw new Error(`message ${n} has no reply (${status})`);
    const { created_at, delivered_at, read_at } = body.message;
    const sinceStored = (time: string | null) => (time === null ? NaN : Date.parse(time) - Date.parse(created_at));
    outcome.exchanges.push({
      n,
      acceptedMs,
      answeredMs: performance.now() - startedAt,
      claimedMs: sinceStored(delivered_at),
      readMs: sinceStored(read_at),
    });
  } catch (error) {
    outcome.failures.push(error instanceof Error ? error.message : String(error));
  }
}
