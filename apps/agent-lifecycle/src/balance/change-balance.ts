import { RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { type AgentKey, type AgentRow, lockAgent } from '../agents/agent-row.js';
import { writeBalance } from './write-balance.js';

/**
 * Sets the balance or adds to it. Errors: NOT_FOUND; CONFLICT, with the current balance, below zero or beyond what a
 * number holds exactly.
 */
export async function changeBalance(
  tx: Transaction,
  key: AgentKey,
  change: { outputTokenBalance?: number | undefined; delta?: number | undefined },
): Promise<AgentRow> {
  const agent = await lockAgent(tx, key);
  const current = Number(agent.output_token_balance);
  const after = change.outputTokenBalance ?? current + (change.delta ?? 0);
  if (after < 0) {
    throw new RoostError('CONFLICT', `delta: the balance is ${current} and cannot go below 0`, [
      { field: 'delta', reason: 'below_zero', current },
    ]);
  }
  const reason = change.delta === undefined ? 'set' : 'added';
  return writeBalance(tx, agent, { after, reason, actor: key.accountId ?? 'system' });
}
