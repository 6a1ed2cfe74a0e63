import { givenFields, recordAudit } from '#lib/audit';
import { type createTrigger, type updateTrigger } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { requireQuota } from '#lib/quotas';
import type { Sealer } from '#lib/auth';
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { lockAgent } from '../agents/agents.repository.js';
import { checkTriggerTemplate } from './trigger-template.js';
import {
  countTriggers,
  findTrigger,
  insertTrigger,
  replaceSecret,
  secretContext,
  type TriggerRow,
  updateTrigger as updateRow,
} from './triggers.repository.js';

/** What follows `whs_` is the key in base64: `new Webhook(secret.slice(4))` of the Standard Webhooks libraries. */
const newSecret = () => `whs_${randomBytes(32).toString('base64')}`;

/** `limit`: how many the account may have. Errors: NOT_FOUND (agent), VALIDATION_ERROR, QUOTA_EXCEEDED. */
export async function create(
  tx: Transaction,
  input: z.output<typeof createTrigger.input>,
  accountId: string,
  limit: number,
  sealer: Sealer,
): Promise<{ row: TriggerRow; secret: string }> {
  await lockAgent(tx, input.agentId, accountId);
  checkTriggerTemplate(input.messageTemplate);
  const count = () => countTriggers(tx, accountId);
  await requireQuota(tx, { accountId, quota: 'triggers', limit, count });
  const [id, secret] = [newId(), newSecret()];
  await recordAudit(tx, { action: 'trigger.created', target: { type: 'trigger', id }, fields: givenFields(input) });
  const row = await insertTrigger(tx, {
    id,
    account_id: accountId,
    agent_id: input.agentId,
    name: input.name,
    message_template: input.messageTemplate,
    enabled: input.enabled,
    secret: sealer.seal(secret, secretContext(id)),
  });
  return { row, secret };
}

/** Changes the fields that are given. */
export async function update(
  tx: Transaction,
  patch: z.output<typeof updateTrigger.input>,
  accountId: string,
): Promise<TriggerRow> {
  const row = await findTrigger(tx, patch, accountId, 'FOR UPDATE');
  if (patch.messageTemplate !== undefined) checkTriggerTemplate(patch.messageTemplate);
  const { agentId: _agent, triggerId: _trigger, ...fields } = patch;
  const target = { type: 'trigger', id: row.id };
  await recordAudit(tx, { action: 'trigger.updated', target, fields: givenFields(fields) });
  return updateRow(tx, {
    id: row.id,
    name: patch.name ?? row.name,
    message_template: patch.messageTemplate ?? row.message_template,
    enabled: patch.enabled ?? row.enabled,
  });
}

/** Makes a new secret; the one it replaces works for 24 hours more. */
export async function rotateSecret(
  tx: Transaction,
  key: { agentId: string; triggerId: string },
  accountId: string,
  sealer: Sealer,
): Promise<{ row: TriggerRow; secret: string }> {
  const { id } = await findTrigger(tx, key, accountId, 'FOR UPDATE');
  const secret = newSecret();
  await recordAudit(tx, { action: 'trigger.secret_rotated', target: { type: 'trigger', id } });
  return { row: await replaceSecret(tx, id, sealer.seal(secret, secretContext(id))), secret };
}
