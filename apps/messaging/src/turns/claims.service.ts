import { type ClaimedTurn, DecidedCall, Message } from '#lib/contracts';
import { type Database, newId } from '#lib/database';
import type { AccountRotation } from './account-rotation.js';
import { claimOf, lockNext, queueDueRetries, waitForRetry } from './claims.repository.js';

export interface Claim {
  workerId: string;
  leaseMs: number;
  /** Accounts whose share of the worker's slots is used up: none of theirs is claimed. */
  fullAccounts: string[];
}

/**
 * Claims the next turn, or returns null when nothing can be claimed. Accounts are served round robin. Within one the agent that has
 * been ready longest comes first, within it the conversation that waits longest; a turn's end puts its agent behind
 * those of its account that were ready before. `hasMore`: another agent could be claimed when this one was.
 */
export async function claimTurn(
  database: Database,
  rotation: AccountRotation,
  { workerId, leaseMs, fullAccounts }: Claim,
): Promise<(ClaimedTurn & { hasMore: boolean }) | null> {
  const turnId = newId();
  const { agent, claim } = await database.transaction(async (tx) => {
    const ranges = rotation.ranges(fullAccounts);
    const agent =
      (await lockNext(tx, ranges)) ?? ((await queueDueRetries(tx)) ? await lockNext(tx, ranges) : undefined);
    if (!agent) return {};
    rotation.served(agent.account_id);
    // A statement of its own: only one that begins under the lock sees everything that was committed before it.
    const claim = await claimOf(tx, agent.agent_id, { turnId, workerId, leaseMs, ranges });
    return { agent, claim };
  });
  if (!agent) return null;
  if (!claim) {
    await database.transaction((tx) => waitForRetry(tx, agent.agent_id));
    return null;
  }
  return {
    turnId,
    runId: claim.run_id,
    fencingToken: Number(claim.fencing_token),
    agentId: agent.agent_id,
    accountId: agent.account_id,
    conversationId: claim.conversation_id,
    channel: claim.channel,
    counterparty: { id: claim.counterparty_id, displayName: claim.counterparty_name },
    messages: claim.messages.map((message) => Message.parse(message)),
    ...(claim.traceparents && { traceparents: claim.traceparents }),
    ...(claim.version !== null && { version: claim.version }),
    attempt: claim.attempt,
    partialReply: claim.partial_reply,
    leaseMs,
    approvals: (claim.approvals ?? []).map((decided) => DecidedCall.parse(decided)),
    hasMore: claim.has_more,
  };
}
