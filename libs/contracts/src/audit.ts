import { z } from 'zod';
import { request } from './request.js';
import { AccountId, Timestamp, wire } from './wire.js';

/** The services that own what is audited, by the first token of their subjects: each keeps the records of its own changes. */
export const AUDITED_SERVICES = [
  'gateway',
  'lifecycle',
  'messaging',
  'runtime',
  'scheduler',
  'channels',
  'webhooks',
] as const;
export type AuditedService = (typeof AUDITED_SERVICES)[number];

/** Who did something. */
export const ActorType = z.enum(['user', 'api_key', 'person', 'agent', 'operator', 'system']);
export type ActorType = z.output<typeof ActorType>;

/** `<type>:<id>` on the wire. */
export interface Actor {
  type: ActorType;
  id: string;
}

const ACTION = /^[a-z_]{1,40}\.[a-z_]{1,40}$/;

export const AuditRecord = wire({
  id: z.uuid().describe('Identifies the record'),
  at: Timestamp.describe('When the change was committed, by the database’s clock'),
  accountId: AccountId.nullable().describe('Whose thing it was done to; null where no account is known'),
  actor: wire({
    type: ActorType.describe(
      'A signed-in user, an API key, a person on a chat platform, an agent by its tools, the operator, or Roost itself',
    ),
    id: z.string().describe('Of the user, key or agent; `platform:id` of a person; the service’s name of Roost itself'),
  }).describe('Who did it'),
  action: z.string().describe('What was done, as `<thing>.<past tense>`, e.g. `agent.updated`'),
  target: wire({
    type: z.string().describe('The kind of thing, e.g. `agent`'),
    id: z.string().describe('Which one'),
  }).describe('What it was done to'),
  fields: z.array(z.string()).describe('Names of the fields that were given; never their values'),
  requestId: z.string().nullable().describe('The request that did it, as its `x-request-id`'),
}).meta({ id: 'AuditRecord', description: 'Who did what to which thing, and when' });
export type AuditRecord = z.output<typeof AuditRecord>;

/** What is asked for, in the API's names. */
export const auditFilters = {
  actor: z.string().min(1).max(200).optional().describe('Only what this actor did: `<type>:<id>`, or a type alone'),
  action: z
    .string()
    .regex(ACTION, 'must be like agent.updated')
    .optional()
    .describe('Only this action, e.g. `agent.deleted`'),
  target: z.string().min(1).max(200).optional().describe('Only what was done to the thing with this id'),
  from: Timestamp.optional().describe('Only what was done at or after this time'),
  to: Timestamp.optional().describe('Only what was done before this time'),
};

/** Newest first: those before the one that `before` names by its time, in microseconds of the database, and id. */
export const listAudit = (service: AuditedService | '*') =>
  request(`${service}.audit.list`, {
    input: wire({
      ...auditFilters,
      /** The caller's; an operator may ask for all by null. */
      accountId: AccountId.nullable(),
      before: wire({ micros: z.string().regex(/^\d{1,18}$/), id: z.uuid() }).nullable(),
      limit: z.number().int().min(1).max(201),
    }),
    output: wire({ records: z.array(wire({ micros: z.string(), record: AuditRecord })) }),
  });

/** All services' records, for `npm run admin -- audit`. */
export const listAllAudit = request('gateway.audit.all', {
  input: wire({
    ...auditFilters,
    account: z.string().min(1).max(320).optional(),
    cursor: z.string().max(200).optional(),
    limit: z.number().int().min(1).max(200).default(100),
  }),
  output: wire({ records: z.array(AuditRecord), nextCursor: z.string().nullable() }),
});
