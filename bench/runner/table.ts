import type { Figure } from './bench.js';

/** The figures of all benches as one table, goals beside them. */
export function table(results: Record<string, Figure[]>): string {
  const rows = Object.entries(results).flatMap(([bench, figures]) =>
    figures.map((figure) => [bench, figure.what, `${shown(figure.value)} ${figure.unit}`.trim(), verdict(figure)]),
  );
  const head = ['bench', 'figure', 'measured', 'goal'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => (column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function verdict({ value, atLeast, atMost }: Figure): string {
  if (atLeast !== undefined) return `≥ ${atLeast} ${value >= atLeast ? 'met' : 'MISSED'}`;
  if (atMost !== undefined) return `≤ ${atMost} ${value <= atMost ? 'met' : 'MISSED'}`;
  return '';
}

function shown(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return String(Math.round(value));
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
