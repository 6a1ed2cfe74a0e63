import { type createTrigger, RoostError, type updateTrigger } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { countRows, requireQuota } from '#lib/quotas';
import type { Sealer } from '#lib/auth';
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { holdAgent } from '../agents/known-agent.js';
import { secretPlace, type TriggerRow } from './trigger-row.js';
import { checkTriggerTemplate } from './trigger-template.js';

/** What follows `whs_` is the key in base64: `new Webhook(secret.slice(4))` of the Standard Webhooks libraries. */
const newSecret = () => `whs_${randomBytes(32).toString('base64')}`;

/** `limit`: how many the account may have. Errors: NOT_FOUND (agent), VALIDATION_ERROR, QUOTA_EXCEEDED. */
export async function createOne(
  tx: Transaction,
  input: z.output<typeof createTrigger.input>,
  accountId: string,
  limit: number,
  sealer: Sealer,
): Promise<{ row: TriggerRow; secret: string }> {
  await holdAgent(tx, input.agentId, accountId);
  checkTriggerTemplate(input.messageTemplate);
  const count = () => countRows(tx, 'triggers', accountId);
  await requireQuota(tx, { accountId, quota: 'triggers', limit, count });
  const [id, secret] = [newId(), newSecret()];
  const [row] = await tx.query<TriggerRow>(
    `INSERT INTO triggers (id, account_id, agent_id, name, message_template, enabled, secret)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *`,
    [
      id,
      accountId,
      input.agentId,
      input.name,
      input.messageTemplate,
      input.enabled,
      sealer.seal(secret, secretPlace(id)),
    ],
  );
  return { row: row as TriggerRow, secret };
}

/** Changes the fields that are given. */
export async function updateOne(
  tx: Transaction,
  patch: z.output<typeof updateTrigger.input>,
  accountId: string,
): Promise<TriggerRow> {
  const row = await findTrigger(tx, patch, accountId, 'FOR UPDATE');
  if (patch.messageTemplate !== undefined) checkTriggerTemplate(patch.messageTemplate);
  const [saved] = await tx.query<TriggerRow>(
    `UPDATE triggers SET name = $2, message_template = $3, enabled = $4, updated_at = now() WHERE id = $1 RETURNING *`,
    [row.id, patch.name ?? row.name, patch.messageTemplate ?? row.message_template, patch.enabled ?? row.enabled],
  );
  return saved as TriggerRow;
}

/** Gives a new secret; the one it replaces works for 24 hours more. */
export async function rotateSecret(
  tx: Transaction,
  key: { agentId: string; triggerId: string },
  accountId: string,
  sealer: Sealer,
): Promise<{ row: TriggerRow; secret: string }> {
  const { id } = await findTrigger(tx, key, accountId, 'FOR UPDATE');
  const secret = newSecret();
  const [row] = await tx.query<TriggerRow>(
    `UPDATE triggers SET previous_secret = secret, previous_until = now() + interval '24 hours', secret = $2,
       updated_at = now() WHERE id = $1 RETURNING *`,
    [id, sealer.seal(secret, secretPlace(id))],
  );
  return { row: row as TriggerRow, secret };
}

/** Errors: NOT_FOUND, the same for an unknown trigger, another agent's and another account's. */
export async function findTrigger(
  db: Pick<Transaction, 'query'>,
  key: { agentId: string; triggerId: string },
  accountId: string,
  lock: 'FOR UPDATE' | '' = '',
): Promise<TriggerRow> {
  const [row] = await db.query<TriggerRow>(
    `SELECT * FROM triggers WHERE id = $1 AND agent_id = $2 AND account_id = $3 ${lock}`,
    [key.triggerId, key.agentId, accountId],
  );
  if (!row) throw new RoostError('NOT_FOUND', 'there is no such trigger');
  return row;
}
