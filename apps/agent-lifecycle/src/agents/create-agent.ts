import type { Sealer } from '#lib/auth';
import { agentCreated, type CreateAgent } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import type { LifecycleConfig } from '../config.js';
import { type AgentLimits, requireRoomForAgent } from './agent-quotas.js';
import { type AgentRow, stateOf } from './agent-row.js';
import { type AgentSecrets, botsAfter, secretColumns, splitConfiguration } from './agent-secrets.js';
import { decodeFiles } from './file-paths.js';
import { checkMaxima } from './maxima.js';
import { providerKeysAfter } from './provider-keys.js';
import { checkVolumeSize } from './volume-size.js';

/**
 * Makes an agent: rows only. Its workspace is made when it is first needed; initial files wait in the database until
 * then. Errors: VALIDATION_ERROR, QUOTA_EXCEEDED.
 */
export async function createAgent(
  tx: Transaction,
  sealer: Sealer,
  config: LifecycleConfig,
  limits: AgentLimits,
  accountId: string,
  input: CreateAgent,
): Promise<AgentRow> {
  checkVolumeSize(input.pvcSize, config);
  checkMaxima(input, config);
  const files = decodeFiles('initial_files', input.initialFiles);
  await requireRoomForAgent(tx, accountId, limits, input.pvcSize);
  const { open, sealed } = splitConfiguration(input.configuration);
  const id = newId();
  const secrets: AgentSecrets = {
    ...sealed,
    providerKeys: providerKeysAfter({}, input),
    ...botsAfter({}, input),
  };
  const columns = {
    id,
    account_id: accountId,
    name: input.name,
    description: input.description,
    pvc_size: input.pvcSize,
    session_mode: input.sessionMode,
    warmth_window_ms: input.warmthWindowMs,
    output_token_balance: input.outputTokenBalance,
    system_prompt: input.systemPrompt,
    system_prompt_type: input.systemPromptType,
    configuration: JSON.stringify(open),
    ...secretColumns(sealer, id, secrets),
  };
  const names = Object.keys(columns);
  const [agent] = await tx.query<AgentRow>(
    `INSERT INTO agents (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')}) RETURNING *`,
    Object.values(columns),
  );
  if (!agent) throw new Error('an inserted row was not given back');
  await tx.query(
    `INSERT INTO balance_ledger (agent_id, account_id, actor, reason, output_tokens, balance_before, balance_after)
     VALUES ($1, $2, $2::uuid::text, 'created', 0, 0, $3)`,
    [id, accountId, input.outputTokenBalance],
  );
  for (const [position, file] of files.entries()) {
    await tx.query(`INSERT INTO pending_files (agent_id, position, path, content) VALUES ($1, $2, $3, $4)`, [
      id,
      position,
      file.path,
      file.content,
    ]);
  }
  await tx.outbox(agentCreated, stateOf(agent), id);
  return agent;
}
