import { vaultGrantChanged, vaultGrantSettled } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import type { z } from 'zod';
import { type GrantRow, grantOf } from './vault-row.js';

type Change = z.output<typeof vaultGrantChanged.payload>['change'];

export async function publishGrant(tx: Transaction, change: Change, row: GrantRow): Promise<void> {
  const grant = grantOf(row);
  await tx.outbox(
    vaultGrantChanged,
    { accountId: row.account_id, change, grant, occurredAt: new Date() },
    row.agent_id,
  );
}

/** Before its row is gone. */
export async function publishRevoked(tx: Transaction, row: GrantRow): Promise<void> {
  const { id: grantId, account_id: accountId, agent_id: agentId } = row;
  await tx.outbox(vaultGrantSettled, { accountId, agentId, grantId }, agentId);
  await publishGrant(tx, 'deleted', row);
}
