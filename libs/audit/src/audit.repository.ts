import type { Actor, ActorType, AuditRecord, listAudit } from '#lib/contracts';
import { currentCall } from '#lib/call-context';
import type { Database, Transaction } from '#lib/database';
import type { z } from 'zod';

export interface AuditEntry {
  /** `<thing>.<past tense>`. */
  action: string;
  target: { type: string; id: string };
  /** Names only; never a value. */
  fields?: string[];
  /** Whose thing it is, where the call in hand is not made for that account. */
  accountId?: string | null;
  /** Who did it, where the call in hand does not say. */
  actor?: Actor;
}

/** Bounds of what is noted: an update names at most the fields that its schema has. */
const MAX_FIELDS = 100;
const MAX_CHARS = 200;

/**
 * Notes in the transaction of a change who made it: both are there, or neither. Actor, account and request are those of
 * the call in hand; without one it is the service itself.
 */
export async function recordAudit(
  tx: Pick<Transaction, 'query'>,
  { action, target, fields = [], accountId, actor }: AuditEntry,
): Promise<void> {
  const call = currentCall();
  const who = actor ?? call?.actor;
  await tx.query(
    `INSERT INTO audit (account_id, actor_type, actor_id, action, target_type, target_id, fields, request_id)
     VALUES ($1, coalesce($2, 'system'), coalesce($3, current_schema()), $4, $5, $6, $7, $8)`,
    [
      accountId === undefined ? (call?.accountId ?? null) : accountId,
      who?.type ?? null,
      who?.id.slice(0, MAX_CHARS) ?? null,
      action,
      target.type,
      target.id.slice(0, MAX_CHARS),
      fields.slice(0, MAX_FIELDS).map((field) => field.slice(0, MAX_CHARS)),
      call?.requestId ?? null,
    ],
  );
}

interface AuditRow {
  id: string;
  micros: string;
  at: Date;
  account_id: string | null;
  actor_type: ActorType;
  actor_id: string;
  action: string;
  target_type: string;
  target_id: string;
  fields: string[];
  request_id: string | null;
}

type Query = z.output<ReturnType<typeof listAudit>['input']>;

/** Newest first, each with its time in microseconds for the cursor. */
export async function listAuditRecords(
  database: Database,
  { accountId, actor, action, target, from, to, before, limit }: Query,
): Promise<{ micros: string; record: AuditRecord }[]> {
  const conditions: string[] = [];
  const parameters: unknown[] = [];
  const add = (condition: (name: string) => string, value: unknown) => {
    parameters.push(value);
    conditions.push(condition(`$${parameters.length}`));
  };
  // Only what is asked for is in the statement, so that each question is answered by its index.
  if (accountId !== null) add((name) => `account_id = ${name}`, accountId);
  const [actorType, actorId] = splitActor(actor);
  if (actorType !== undefined) add((name) => `actor_type = ${name}`, actorType);
  if (actorId !== undefined) add((name) => `actor_id = ${name}`, actorId);
  if (action !== undefined) add((name) => `action = ${name}`, action);
  if (target !== undefined) add((name) => `target_id = ${name}`, target);
  if (from !== undefined) add((name) => `at >= ${name}`, from);
  if (to !== undefined) add((name) => `at < ${name}`, to);
  if (before !== null) {
    parameters.push(before.micros, before.id);
    const [micros, id] = [`$${parameters.length - 1}`, `$${parameters.length}`];
    conditions.push(`(at, id) < ('epoch'::timestamptz + ${micros}::bigint * interval '1 microsecond', ${id}::uuid)`);
  }
  parameters.push(limit);
  const rows = await database.query<AuditRow>(
    `SELECT *, (extract(epoch FROM at) * 1000000)::bigint::text AS micros FROM audit
     ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''} ORDER BY at DESC, id DESC LIMIT $${parameters.length}`,
    parameters,
  );
  return rows.map((row) => ({
    micros: row.micros,
    record: {
      id: row.id,
      at: row.at,
      accountId: row.account_id,
      actor: { type: row.actor_type, id: row.actor_id },
      action: row.action,
      target: { type: row.target_type, id: row.target_id },
      fields: row.fields,
      requestId: row.request_id,
    },
  }));
}

function splitActor(actor: string | undefined): [string | undefined, string | undefined] {
  if (actor === undefined) return [undefined, undefined];
  const colon = actor.indexOf(':');
  return colon < 0 ? [actor, undefined] : [actor.slice(0, colon), actor.slice(colon + 1)];
}

/** Up to `most` records older than so many days; returns how many went. */
export async function deleteOldAudit(database: Database, days: number, most: number): Promise<number> {
  const gone = await database.query(
    `DELETE FROM audit WHERE id = ANY(ARRAY(
       SELECT id FROM audit WHERE at < now() - $1 * interval '1 day' ORDER BY at LIMIT $2)) RETURNING id`,
    [days, most],
  );
  return gone.length;
}
