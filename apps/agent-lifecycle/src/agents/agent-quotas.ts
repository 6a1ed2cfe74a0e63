import { quantityBytes } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { type AccountLimits, countRows, requireRoom } from '#lib/quotas';
import type { Queries } from './agent-row.js';

export interface AgentLimits {
  agents: number;
  storedBytes: number;
}

export async function agentLimitsOf(limits: AccountLimits, accountId: string): Promise<AgentLimits> {
  const { agents, stored_bytes: storedBytes } = await limits.all(accountId);
  return { agents, storedBytes };
}

/** Errors: QUOTA_EXCEEDED when the account has no room for one agent more with a volume of this size. */
export async function requireRoomForAgent(tx: Transaction, accountId: string, limits: AgentLimits, pvcSize: string) {
  await requireRoom(tx, {
    accountId,
    quota: 'agents',
    limit: limits.agents,
    count: () => countRows(tx, 'agents', accountId),
  });
  await requireRoomForBytes(tx, accountId, limits, bytesOf(pvcSize));
}

/** Errors: QUOTA_EXCEEDED when the volumes of all the account's agents may hold no more `bytes`. */
export async function requireRoomForBytes(
  tx: Transaction,
  accountId: string,
  { storedBytes }: AgentLimits,
  bytes: number,
): Promise<void> {
  const count = () => storedBytesOf(tx, accountId);
  await requireRoom(tx, { accountId, quota: 'stored_bytes', limit: storedBytes, count, more: bytes });
}

/** What the volumes of the account's agents may hold, written or not: it is what they can come to without asking. */
export async function storedBytesOf(queries: Queries, accountId: string): Promise<number> {
  const sizes = await queries.query<{ pvc_size: string; count: number }>(
    `SELECT pvc_size, count(*)::int AS count FROM agents WHERE account_id = $1 GROUP BY pvc_size`,
    [accountId],
  );
  return sizes.reduce((sum, { pvc_size, count }) => sum + bytesOf(pvc_size) * count, 0);
}

export const bytesOf = (quantity: string) => quantityBytes(quantity) ?? 0;
