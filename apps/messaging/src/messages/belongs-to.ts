/**
 * A condition in SQL for a message that is found by its id: that it is this agent's, of this account. No index can
 * answer it: to the planner of an empty table, whose plans are kept, an index by agent looks as good as the key, and it
 * would read all of the agent's messages for each one (docs/decisions/0031).
 */
export const belongsTo = (agentId: string, accountId: string) =>
  `(agent_id, account_id) IS NOT DISTINCT FROM (${agentId}::uuid, ${accountId}::uuid)`;
