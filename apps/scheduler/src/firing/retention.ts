import type { Database } from '#lib/database';
import { sweepDeletedAgents } from '../agents/agents.repository.js';
import { sweepExecutions } from '../executions/executions.repository.js';
import { sweepEarlyOutcomes } from '../executions/outcomes.repository.js';
import { sweepReplacedSecrets } from '../triggers/triggers.repository.js';

/** Removes what nobody will ask for: old executions and outcomes, tombstones of agents, replaced secrets. */
export async function sweep(database: Database): Promise<void> {
  await sweepExecutions(database);
  await sweepEarlyOutcomes(database);
  await sweepDeletedAgents(database);
  await sweepReplacedSecrets(database);
}
