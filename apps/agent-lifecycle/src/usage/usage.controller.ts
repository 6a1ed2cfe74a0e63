import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { getUsage, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { isZone, startOfDate } from '#lib/time-zones';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { reportOf } from './usage.repository.js';

const DAY_MS = 86_400_000;
const QUARTER_MS = 15 * 60_000;
const DEFAULT_DAYS = 30;
/** As long as sums are kept unless an operator keeps them longer: a report has a row for each day. */
const MAX_DAYS = 400;

@Controller()
export class UsageController {
  constructor(private readonly database: Database) {}

  @Handles(getUsage)
  async report({ groupBy, timezone, agentId, ...range }: z.output<typeof getUsage.input>, context: CallContext) {
    if (!isZone(timezone)) throw invalid('timezone', 'is not an IANA time zone like Europe/Berlin');
    const now = Date.now();
    // Up to the end of the quarter hour that is under way.
    const to =
      range.to === undefined ? (Math.floor(now / QUARTER_MS) + 1) * QUARTER_MS : instant('to', range.to, timezone);
    const from =
      range.from === undefined
        ? Math.floor((to - DEFAULT_DAYS * DAY_MS) / QUARTER_MS) * QUARTER_MS
        : instant('from', range.from, timezone);
    if (from >= to) throw invalid('from', 'must be before to');
    if (to - from > MAX_DAYS * DAY_MS) throw invalid('from', `must be at most ${MAX_DAYS} days before to`);
    const span = { from: new Date(from), to: new Date(to) };
    const report = await reportOf(this.database, groupBy, {
      accountId: accountOf(context),
      agentId: agentId ?? null,
      ...span,
      timezone,
    });
    return { ...span, timezone, groupBy, ...report };
  }
}

function instant(field: string, text: string, timezone: string): number {
  try {
    if (!text.includes('T')) return startOfDate(text, timezone);
  } catch {
    throw invalid(field, 'is no date of the calendar');
  }
  const time = /(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw invalid(field, 'must be a date, or a time with its offset like 2026-11-29T10:00:00Z');
  return Math.floor(time / QUARTER_MS) * QUARTER_MS;
}

function invalid(field: string, message: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `${field}: ${message}`, [{ field, reason: 'invalid', message }]);
}
