import { setTimeout as sleep } from 'node:timers/promises';

/** Set for a run to try it; 0 otherwise. */
export const NETWORK_DELAY_MS = Number(process.env['ROOST_TEST_LATENCY_MS'] ?? 0);

/** What a request over a real network takes, at random: order that holds by accident alone does not hold then. */
export async function networkDelay(): Promise<void> {
  if (NETWORK_DELAY_MS > 0) await sleep(Math.random() * NETWORK_DELAY_MS);
}
