import type { Figure, Options } from './runner/bench.js';
import { makeAgents, startBenchRoost } from './runner/bench-roost.js';
import { callSideBySide } from './runner/callers.js';
import { authorization, exchange } from './runner/exchange.js';
import { countPerTurn } from './runner/per-turn.js';
import { quantile } from './runner/quantile.js';

export const name = 'turn-overhead';

/**
 * What Roost adds to a turn: one caller sends, waits for the stored reply and sends again, with the demo model, which
 * answers at once. Options: turns=300; counts=0 leaves the counts out; details prints them by statement and subject.
 */
export async function run(options: Options): Promise<Figure[]> {
  const turns = options.number('turns', 300);
  const roost = await startBenchRoost(options);
  try {
    const [agentId = ''] = await makeAgents(roost, 1);
    const target = { url: roost.url, headers: authorization(roost), callers: 1 };
    await callSideBySide({ ...target, count: 100 }, (caller) =>
      exchange(caller, agentId, 'warm up').then(() => undefined),
    );
    const halves: { acceptMs: number; replyMs: number }[] = [];
    await callSideBySide({ ...target, count: turns }, async (caller) => {
      halves.push(await exchange(caller, agentId, 'echo'));
    });
    const replies = halves.map(({ replyMs }) => replyMs);
    const whole = halves.map(({ acceptMs, replyMs }) => acceptMs + replyMs);
    const figures: Figure[] = [
      { what: 'accepted → reply stored and read, p50', value: quantile(replies, 0.5), unit: 'ms', atMost: 15 },
      { what: 'accepted → reply stored and read, p99', value: quantile(replies, 0.99), unit: 'ms', atMost: 60 },
      { what: 'sent → reply read, p50', value: quantile(whole, 0.5), unit: 'ms' },
      { what: 'sent → reply read, p99', value: quantile(whole, 0.99), unit: 'ms' },
    ];
    if (options.number('counts', 1) === 0) return figures;
    // Who watches every subject counts as somebody who answers for a sleeping workspace, and is waited for.
    await roost.api('POST', `/v1/agent/${agentId}/filesystem/files/awake.txt`, { content: 'awake' });
    const counted = await countPerTurn(roost, 50, async () => {
      await callSideBySide({ ...target, count: 50 }, (caller) =>
        exchange(caller, agentId, 'echo').then(() => undefined),
      );
    });
    if (options.has('details')) for (const [what, count] of counted.details) console.error(count.toFixed(2), what);
    return [
      ...figures,
      { what: 'Postgres statements per turn', value: counted.statements, unit: '' },
      { what: 'of them COMMITs', value: counted.commits, unit: '' },
      { what: 'bus requests per turn', value: counted.requests, unit: '' },
      { what: 'bus messages per turn', value: counted.busMessages, unit: '' },
    ];
  } finally {
    await roost.stop();
  }
}
