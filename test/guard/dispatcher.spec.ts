import { beforeAll, describe, expect, it } from 'vitest';
import { closedNetworkProblem, runClosed } from '../closed-network/run-closed.js';
import type { DispatcherReport } from './run-dispatcher.js';

/** ROOST_FULL=1 (`npm run guard`) registers every denied case; without it each fortieth. */
const isFull = process.env.ROOST_FULL === '1';
const problem =
  closedNetworkProblem() ??
  (process.getuid?.() === 0 ? undefined : "in a user namespace PostgreSQL's own user cannot be made; run as root");
if (problem !== undefined) console.warn(`the webhook dispatcher is not tried in a closed network: ${problem}`);

describe.skipIf(problem !== undefined)('the webhook dispatcher, in a network of its own', () => {
  let report: DispatcherReport;

  beforeAll(async () => {
    const run = await runClosed('guard/run-dispatcher.js', { args: [isFull ? '1' : '40'], timeoutMs: 280_000 });
    if (run.exitCode !== 0) throw new Error(`the run ended with ${run.exitCode}: ${run.stderr}\n${run.stdout}`);
    report = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as DispatcherReport;
    const { registered, rebound, packetsOutside } = report;
    console.log(
      `dispatcher: ${registered.refused} URLs refused, ${registered.accepted} taken; ${rebound.blocked} of ` +
        `${rebound.endpoints} names that turned inside blocked; ${packetsOutside} packets at denied addresses`,
    );
  });

  it('sends nothing to a denied address, at registration or after the name led elsewhere', () => {
    expect(report).toMatchObject({ packetsOutside: 0, deniedConnections: 0, localConnections: 0 });
  });

  it('blocks each delivery to a name that has turned inside, and says so', () => {
    expect(report.rebound.endpoints).toBeGreaterThan(20);
    expect(report.rebound).toMatchObject({ blocked: report.rebound.endpoints, otherwise: [] });
  });

  it('refuses what leads inside already at registration', () => {
    expect(report.registered.refused).toBeGreaterThan(report.registered.accepted * 10);
  });

  it('delivers to who may be reached', () => {
    expect(report.delivered).toBe(1);
  });
});
