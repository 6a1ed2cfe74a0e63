import type { Sealer } from '#lib/auth';
import { agentUpdated, snakeCase, type UpdateAgent } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { writeBalance } from '../balance/write-balance.js';
import type { LifecycleConfig } from '../config.js';
import { type AgentLimits, bytesOf, requireRoomForBytes } from './agent-quotas.js';
import { type AgentKey, type AgentRow, lockAgent } from './agent-row.js';
import { botsAfter, openSecrets, secretColumns, splitConfiguration, wholeConfiguration } from './agent-secrets.js';
import { checkMaxima } from './maxima.js';
import { mergeConfiguration } from './merge-configuration.js';
import { providerKeysAfter } from './provider-keys.js';
import { checkVolumeSize } from './volume-size.js';

/**
 * Changes the fields that are given; `files` are the workspace's matter and not looked at here.
 * Errors: NOT_FOUND, VALIDATION_ERROR (a smaller volume, more than a maximum), QUOTA_EXCEEDED.
 */
export async function updateAgent(
  tx: Transaction,
  sealer: Sealer,
  config: LifecycleConfig,
  limits: AgentLimits,
  key: AgentKey,
  input: UpdateAgent,
): Promise<AgentRow> {
  const before = await lockAgent(tx, key);
  if (input.pvcSize !== undefined) checkVolumeSize(input.pvcSize, config, before.pvc_size);
  checkMaxima(input, config);
  const growth = input.pvcSize === undefined ? 0 : bytesOf(input.pvcSize) - bytesOf(before.pvc_size);
  if (growth > 0) await requireRoomForBytes(tx, before.account_id, limits, growth);
  const changed = changedFields(input);
  if (changed.length === 0) return before;

  const secrets = openSecrets(sealer, before);
  const configuration = mergeConfiguration(
    wholeConfiguration(before.configuration, secrets),
    input.configuration ?? {},
  );
  const { open, sealed } = splitConfiguration(configuration);
  const columns = {
    name: given(input.name, before.name),
    description: given(input.description, before.description),
    pvc_size: given(input.pvcSize, before.pvc_size),
    system_prompt: given(input.systemPrompt, before.system_prompt),
    system_prompt_type: given(input.systemPromptType, before.system_prompt_type),
    session_mode: given(input.sessionMode, before.session_mode),
    warmth_window_ms: given(input.warmthWindowMs, before.warmth_window_ms),
    configuration: JSON.stringify(open),
    ...secretColumns(sealer, before.id, {
      ...sealed,
      providerKeys: providerKeysAfter(secrets.providerKeys, input),
      ...botsAfter(secrets, input),
    }),
  };
  const assignments = Object.keys(columns).map((name, index) => `${name} = $${index + 2}`);
  const [updated = before] = await tx.query<AgentRow>(
    `UPDATE agents SET ${assignments.join(', ')}, revision = revision + 1, updated_at = now() WHERE id = $1 RETURNING *`,
    [before.id, ...Object.values(columns)],
  );
  const agent =
    input.outputTokenBalance === undefined
      ? updated
      : await writeBalance(tx, updated, {
          after: input.outputTokenBalance,
          reason: 'set',
          actor: key.accountId ?? 'system',
        });
  await tx.outbox(
    agentUpdated,
    { agentId: agent.id, accountId: agent.account_id, revision: Number(agent.revision), changed },
    agent.id,
  );
  return agent;
}

/** `undefined` means: not given. Null is a value. */
function given<T>(value: T | undefined, before: T): T {
  return value === undefined ? before : value;
}

/** Names of the given fields as in the API; of the configuration, those inside it. */
export function changedFields({ configuration, files: _, ...fields }: UpdateAgent): string[] {
  const namesOf = (object: object) =>
    Object.entries(object)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => snakeCase(name));
  return [...namesOf(fields), ...namesOf(configuration ?? {}).map((name) => `configuration.${name}`)];
}
