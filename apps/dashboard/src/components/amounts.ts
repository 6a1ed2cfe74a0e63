/** `420 ms`, `3.2 s`, `1 min 5 s`, `2 h 3 min`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return joined(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

const joined = (large: number, unit: string, small: number, smallUnit: string) =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;

/** `950`, `12.4k`, `3.1M`. */
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
export const compactCount = (count: number): string => (count < 1_000 ? String(count) : compact.format(count));

/** Dollars, with as many digits as a small amount needs. Null: a price is not known, which is not nothing. */
export function costText(usd: number | string | null | undefined): string {
  if (usd === null || usd === undefined) return 'price unknown';
  const value = Number(usd);
  if (value === 0) return '$0';
  if (value < 0.000_1) return '< $0.0001';
  return `$${value.toFixed(value < 1 ? 4 : 2)}`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `1.4 MiB`. */
export function bytesText(bytes: number): string {
  const power = Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[power]}`;
}
