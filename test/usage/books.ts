import type { Told } from './counting-model.js';

/** A row of the ledger. */
export interface Booked {
  input: number;
  output: number;
}

export interface Kill {
  target: string;
  at: number;
}

export interface Comparison {
  /** Answers that are booked as they were told. */
  matched: number;
  /** Told to a worker that was killed before it could have them recorded. */
  lostWithWorker: Told[];
  /** What is wrong, one line each. */
  findings: string[];
}

/** Between a provider's last byte and its record; also how long a killed process takes to be gone, on a busy machine. */
const WINDOW_MS = 2_000;

/** Holds what Roost has booked against what the provider told, answer by answer: the input tokens of each are its own. */
export function compareBooks(told: Told[], booked: Booked[], kills: Kill[]): Comparison {
  const rows = new Map<number, Booked[]>();
  for (const row of booked) rows.set(row.input, [...(rows.get(row.input) ?? []), row]);
  const result: Comparison = { matched: 0, lostWithWorker: [], findings: [] };
  const workerKills = kills.filter(({ target }) => target === 'agent-runtime');
  for (const answer of told) {
    const found = rows.get(answer.input) ?? [];
    rows.delete(answer.input);
    const name = `answer ${answer.input} → ${answer.output} (${answer.how})`;
    if (found.length > 1) result.findings.push(`${name} is booked ${found.length} times`);
    else if (found[0] && found[0].output !== answer.output)
      result.findings.push(`${name} is booked as ${found[0].output}`);
    else if (found[0]) result.matched += 1;
    else if (workerKills.some(({ at }) => Math.abs(at - answer.at) < WINDOW_MS)) result.lostWithWorker.push(answer);
    else result.findings.push(`${name} is not booked, and no worker was killed then`);
  }
  for (const input of rows.keys()) result.findings.push(`${input} is booked and was never told`);
  return result;
}
