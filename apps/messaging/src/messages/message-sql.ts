import { BLOCKED_UNTIL } from '../budgets/budgets.repository.js';

/**
 * A condition in SQL for a message that is found by its id: that it is this agent's, of this account. No index can
 * answer it: to the planner of an empty table, whose plans are kept, an index by agent looks as good as the key, and it
 * would read all of the agent's messages for each one (docs/decisions/0031).
 */
export const belongsTo = (agentId: string, accountId: string) =>
  `(agent_id, account_id) IS NOT DISTINCT FROM (${agentId}::uuid, ${accountId}::uuid)`;

/**
 * SQL for what the message `m` waits for, in the wire form of contracts' WaitingFor; null unless it is pending. Computed
 * when it is read, from rows that are found by their keys: sending and claiming write nothing for it.
 */
export const WAITING_FOR = `
  CASE WHEN m.status = 'pending' THEN (
    SELECT jsonb_build_object('reason', w.reason,
      'error', CASE WHEN w.reason = 'retry' THEN w.retry_error END,
      'next_attempt_at', CASE w.reason WHEN 'retry' THEN wire_time(w.ready_at) WHEN 'budget' THEN wire_time(w.blocked_until) END)
    FROM (
      SELECT c.retry_error, c.ready_at, CASE WHEN a.lacks_budget THEN ${BLOCKED_UNTIL} END AS blocked_until, CASE
        WHEN a.lacks_balance THEN 'balance'
        WHEN a.lacks_budget THEN 'budget'
        WHEN a.status IN ('paused', 'stopped', 'error') THEN a.status
        WHEN c.suspended_run IS NOT NULL THEN 'approval'
        WHEN c.ready_at > now() THEN 'retry'
        WHEN a.running_turn IS NOT NULL THEN 'turn'
        ELSE 'slot' END AS reason
      FROM agents a LEFT JOIN conversations c ON c.agent_id = a.agent_id AND c.id = m.conversation_id
      WHERE a.agent_id = m.agent_id
    ) w
  ) END`;

/** The message `m` in the wire form of contracts' MessageInQueue. */
export const MESSAGE_IN_QUEUE = `wire_message(m) || jsonb_build_object('waiting_for', ${WAITING_FOR})`;
