/**
 * SQL that a message found by its id is this agent's of this account, which no index can answer: a plan is kept from when the
 * table was new, and to the planner of an empty table an index by agent looks as good as the key. It would read all of the
 * agent's messages for each one.
 */
export const belongsTo = (agentId: string, accountId: string) =>
  `(agent_id, account_id) IS NOT DISTINCT FROM (${agentId}::uuid, ${accountId}::uuid)`;
