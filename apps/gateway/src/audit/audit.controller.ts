import { auditFilters, AuditRecord, wire } from '#lib/contracts';
import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';
import type { Identity } from '../accounts/identity.js';
import { Caller, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { Audit } from './audit.js';

const AuditQuery = wire({
  ...auditFilters,
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Most records of one page'),
  cursor: z.string().max(200).optional().describe('`next_cursor` of the page before'),
});
type AuditQuery = z.output<typeof AuditQuery>;

/** docs/observability.md */
@Tag('Accounts')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly audit: Audit) {}

  @Get()
  @Endpoint({
    access: 'signed-in',
    summary: 'Who did what to which thing, newest first',
    description:
      'Every change of the account’s agents, keys, schedules, triggers, webhooks, MCP servers and channels, and every sign-in, with who made it: a user, an API key, a person on a chat platform, an agent by its tools, or the operator. Records name fields, never values, and cannot be changed.',
    response: wire({
      records: z.array(AuditRecord).describe('The page, newest first'),
      nextCursor: z.string().nullable().describe('Of the next page; null on the last'),
    }),
    errors: ['SERVICE_UNAVAILABLE'],
  })
  list(@Query(AuditQuery) query: AuditQuery, @Caller() { accountId }: Identity) {
    return this.audit.ofAccount(accountId, query);
  }
}
