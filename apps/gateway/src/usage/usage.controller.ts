import { Bus } from '#lib/bus';
import { encode, getUsage, UsageReport, UsageRow, usageQuery, wire } from '#lib/contracts';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import type { ApiRequest } from '../http/request.js';

const UsageQuery = wire({
  ...usageQuery,
  format: z
    .enum(['json', 'csv'])
    .optional()
    .describe('The form of the answer; the `Accept` header decides if it is not given, and JSON if neither does.'),
});
type UsageQuery = z.output<typeof UsageQuery>;

const COLUMNS = Object.keys(UsageRow.in.shape) as (keyof z.input<typeof UsageRow>)[];

@Tag('Usage')
@Controller('v1/usage')
export class UsageController {
  constructor(private readonly bus: Bus) {}

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'Report what model steps have used and cost',
    description:
      'Every model step is counted once, also those of attempts that failed, with its price at the time. Rows are by agent, ' +
      'model, day of the time zone, or source; a step is in the report as soon as it is debited. A cost that is not wholly ' +
      'known is null, never 0. With `format=csv` or `Accept: text/csv` the rows come as CSV with a header line.',
    response: UsageReport,
    responseContent: {
      'text/csv': { schema: { type: 'string', description: 'The rows, the names of their fields in the first line.' } },
    },
  })
  async report(
    @Query(UsageQuery) { format, ...query }: UsageQuery,
    @Req() request: ApiRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const report = await this.bus.request(getUsage, query);
    const isCsv = format ? format === 'csv' : prefersCsv(request.headers.accept);
    if (!isCsv) return report;
    const lines = report.rows.map((row) => {
      const fields = encode(UsageRow, row);
      return COLUMNS.map((name) => cell(fields[name])).join(',');
    });
    void reply
      .header('content-type', 'text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="usage.csv"')
      .send(`${[COLUMNS.join(','), ...lines].join('\r\n')}\r\n`);
  }
}

const prefersCsv = (accept: string | undefined) => /^\s*text\/csv\s*(;|,|$)/i.test(accept ?? '');

/** RFC 4180. A name that a spreadsheet would read as a formula is marked as text. */
function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
