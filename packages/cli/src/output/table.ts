import { inLine } from './clean.js';

export type Cell = string | number | boolean | null | undefined;

/** Rows below a head, in columns; the last one as wide as it likes. */
export function tableOf(head: string[], rows: Cell[][]): string {
  const texts = [
    head,
    ...rows.map((row) => row.map((cell) => (cell === null || cell === undefined ? '-' : inLine(String(cell))))),
  ];
  const widths = head.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  return texts
    .map((row) =>
      row.map((text, column) => (column === head.length - 1 ? text : text.padEnd(widths[column] ?? 0))).join('  '),
    )
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A moment as a person reads it: how long ago, or in how long. */
export function ago(time: string | null | undefined, now = Date.now()): string {
  if (!time) return '-';
  const seconds = Math.round((now - Date.parse(time)) / 1_000);
  const [amount, unit] = largest(Math.abs(seconds));
  return seconds >= 0 ? `${amount}${unit} ago` : `in ${amount}${unit}`;
}

function largest(seconds: number): [number, string] {
  if (seconds < 60) return [seconds, 's'];
  if (seconds < 3_600) return [Math.round(seconds / 60), 'min'];
  if (seconds < 86_400) return [Math.round(seconds / 3_600), 'h'];
  return [Math.round(seconds / 86_400), 'd'];
}

/** A duration as a person reads it. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '-';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
