import { type AgentState, getAgentState, RoostError } from '#lib/contracts';
import type { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import type { Database, Transaction } from '#lib/database';

/** Takes over a newer state of an agent; an older one changes nothing. */
export async function recordAgent(
  db: Pick<Transaction, 'query'>,
  state: Pick<AgentState, 'agentId' | 'accountId' | 'revision'> & { status: AgentState['status'] | 'deleted' },
): Promise<void> {
  await db.query(
    `INSERT INTO agents (agent_id, account_id, status, revision, deleted_at)
     VALUES ($1, $2, $3::text, $4, CASE WHEN $3 = 'deleted' THEN now() END)
     ON CONFLICT (agent_id) DO UPDATE SET status = excluded.status, revision = excluded.revision, deleted_at = excluded.deleted_at
       WHERE agents.revision < excluded.revision`,
    [state.agentId, state.accountId, state.status, state.revision],
  );
}

/** Makes sure that the agent is the account's; one not heard of yet is asked for at lifecycle. Errors: NOT_FOUND. */
export async function requireAgent(database: Database, bus: Bus, agentId: string, accountId: string): Promise<void> {
  const agent = (await readAgent(database, agentId)) ?? (await askForAgent(database, bus, agentId));
  if (agent.account_id !== accountId || agent.status === 'deleted') throw unknownAgent();
}

/**
 * Holds the agent's row against a deletion that runs beside: what is written in `tx` is seen by it or fails here.
 * Errors: NOT_FOUND.
 */
export async function holdAgent(tx: Transaction, agentId: string, accountId: string): Promise<{ status: string }> {
  const [agent] = await tx.query<{ status: string }>(
    `SELECT status FROM agents WHERE agent_id = $1 AND account_id = $2 AND status <> 'deleted' FOR SHARE`,
    [agentId, accountId],
  );
  if (!agent) throw unknownAgent();
  return agent;
}

async function readAgent(database: Database, agentId: string) {
  const [agent] = await database.query<{ account_id: string; status: string }>(
    `SELECT account_id, status FROM agents WHERE agent_id = $1`,
    [agentId],
  );
  return agent;
}

async function askForAgent(database: Database, bus: Bus, agentId: string) {
  const state = await bus.request(getAgentState, { agentId }, ownCall(`req_find_${agentId}`, 5_000));
  await recordAgent(database, state);
  return { account_id: state.accountId, status: state.status };
}

const unknownAgent = () => new RoostError('NOT_FOUND', 'there is no such agent');
