import { type AgentSettings, RoostError } from '#lib/contracts';
import type { Queries } from '#lib/database';
import type { AgentRow } from '../agents/agent-row.js';
import type { AgentSecrets } from '../agents/agent-secrets.js';
import { configuredOf } from './configured.js';
import { restore } from './restore.js';
import { findVersion } from './versions.repository.js';

/**
 * What a turn runs with: the present settings, or those of a version with the secrets of now. Errors: NOT_FOUND for a
 * version that is not kept, VALIDATION_ERROR for one that is not valid any more.
 */
export async function settingsForTurn(
  queries: Queries,
  { agent, secrets }: { agent: AgentRow; secrets: AgentSecrets },
  version: number | undefined,
): Promise<AgentSettings> {
  if (version === undefined || version === agent.version) return configuredOf(agent, secrets);
  const target = await findVersion(queries, agent.id, version);
  if (!target) throw new RoostError('NOT_FOUND', `the agent has no version ${version}, or it is no longer kept`);
  return restore(target, { agent, secrets, versions: {} }).settings;
}
