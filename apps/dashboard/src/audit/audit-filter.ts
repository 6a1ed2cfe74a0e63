import type { AuditQuery } from '@roost-ai/sdk';

/** Of an address: empty ones are left out. Dates by the calendar of whoever looks, both included. */
export const AUDIT_FILTERS = ['action', 'actor', 'target', 'from', 'to'] as const;
export type AuditFilter = { [name in (typeof AUDIT_FILTERS)[number]]?: string };

const isDate = (value: string) => /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value));

export function auditFilter(search: Record<string, unknown>): AuditFilter {
  const given = AUDIT_FILTERS.flatMap((name) => {
    const value = search[name];
    if (typeof value !== 'string' || value === '') return [];
    return (name === 'from' || name === 'to') && !isDate(value) ? [] : [[name, value]];
  });
  return Object.fromEntries(given) as AuditFilter;
}

export function queryOf({ from, to, ...rest }: AuditFilter): AuditQuery {
  return {
    ...rest,
    ...(from ? { from: beginOf(from, 0) } : {}),
    // It ends with the day.
    ...(to ? { to: beginOf(to, 1) } : {}),
  };
}

function beginOf(date: string, daysLater: number): string {
  const begin = new Date(`${date}T00:00`);
  begin.setDate(begin.getDate() + daysLater);
  return begin.toISOString();
}
