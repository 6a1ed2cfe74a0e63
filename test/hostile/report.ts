import type { Exchange } from './good-account.js';

export interface Check {
  what: string;
  measured: string;
  goal: string;
  isMet: boolean;
}

export interface Outcome {
  checks: Check[];
  /** Of the good account's messages. */
  slowest: Exchange[];
  /** What the hostile account had answered, by attack and status. */
  attacks: Record<string, Record<string, number>>;
}

/** The goals, then what was tried, as text. */
export function describe({ checks, slowest, attacks }: Outcome): string {
  const rows = checks.map(({ what, measured, goal, isMet }) => [what, measured, `${goal} ${isMet ? 'met' : 'MISSED'}`]);
  const attackRows = Object.entries(attacks).map(([attack, answers]) => [
    attack,
    Object.entries(answers)
      .map(([answer, count]) => `${answer}: ${count}`)
      .join(', '),
  ]);
  const slow = slowest.map(
    ({ n, acceptedMs, answeredMs, claimedMs, readMs }) =>
      `message ${n}, accepted after ${Math.round(acceptedMs)} ms, answered after ${Math.round(answeredMs)} ms ` +
      `(once stored claimed after ${claimedMs} ms, its turn over after ${readMs} ms)`,
  );
  return `${columns(rows)}\n\nSlowest: ${slow.join('; ')}\n\nWhat the hostile account did, and how it was answered:\n${columns(attackRows)}`;
}

function columns(rows: string[][]): string {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, at) => Math.max(most[at] ?? 0, cell.length)), []);
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
