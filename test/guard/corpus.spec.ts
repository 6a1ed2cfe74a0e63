import { beforeAll, describe, expect, it } from 'vitest';
import { closedNetworkProblem, runClosed } from '../closed-network/run-closed.js';
import type { CorpusReport } from './run-corpus.js';

/** ROOST_FULL=1 (`npm run guard`) takes every case; without it each eleventh denied one and all that must pass. */
const isFull = process.env.ROOST_FULL === '1';
const problem = closedNetworkProblem();
if (problem !== undefined) console.warn(`the corpus of the address guard is skipped: ${problem}`);

describe.skipIf(problem !== undefined)('the address guard, in a network of its own', () => {
  let report: CorpusReport;

  beforeAll(async () => {
    const run = await runClosed('guard/run-corpus.js', { args: [isFull ? '1' : '11'], timeoutMs: 280_000 });
    if (run.exitCode !== 0) throw new Error(`the run ended with ${run.exitCode}: ${run.stderr}\n${run.stdout}`);
    report = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as CorpusReport;
    const { control, denied, open, rebinding, packets } = report;
    console.log(
      `guard corpus in ${report.seconds} s: ${denied.cases} denied cases (${denied.dials} dials), ${rebinding.cases} rebinding (${rebinding.dials}): ` +
        `${packets.outside + packets.loopback} packets at denied addresses; ${open.cases} open (${open.dials} dials): ${open.refused.length} wrong refusals; ` +
        `control without the guard: ${control.counted} of ${control.dialled} addresses counted, ${control.packets} packets`,
    );
  });

  it('counts packets when there is no guard', () => {
    // Multicast and link-local addresses without a zone are no use to anybody: the kernel sends nothing there.
    expect(report.control.counted).toBeGreaterThan(80);
  });

  it('sends no packet to a denied address, however it is written or resolved', () => {
    expect(report.packets).toEqual({ outside: 0, loopback: 0 });
    expect(report).toMatchObject({
      leaks: [],
      deniedConnections: 0,
      denied: { arrived: [] },
      rebinding: { wrong: [] },
    });
    expect(report.denied.cases).toBeGreaterThan(isFull ? 1_000 : 200);
  });

  it('refuses forms of URLs that nobody may register', () => {
    expect(report.forms.accepted).toEqual([]);
  });

  it('refuses nothing that may be reached, and arrives with the right Host', () => {
    expect(report.open.refused).toEqual([]);
    expect(report.open.cases).toBeGreaterThanOrEqual(150);
  });
});
