import type { Bus } from '#lib/bus';
import { checkModels, type CreateAgent, RoostError, type UpdateAgent } from '#lib/contracts';
import type { AgentSecrets } from './agent-secrets.js';
import { askWithin } from './ask-within.js';
import { providerKeysAfter } from './provider-keys.js';

/**
 * Refuses models that their provider does not have, where its list is known within a second: whoever sets one should
 * not learn of it from a failed turn. Errors: VALIDATION_ERROR naming the field.
 */
export async function checkModelNames(
  bus: Bus,
  input: Pick<CreateAgent | UpdateAgent, 'configuration' | 'anthropicApiKey' | 'providerKeys'>,
  keysBefore: AgentSecrets['providerKeys'] = {},
): Promise<void> {
  const { model, compaction } = input.configuration ?? {};
  const named = [
    { field: 'configuration.model', model },
    { field: 'configuration.compaction.model', model: compaction?.model },
  ].flatMap(({ field, model: name }) => (name ? [{ field, name }] : []));
  if (named.length === 0) return;
  const models = named.map(({ name }) => name);
  const providerKeys = providerKeysAfter(keysBefore, input);
  const { problems } = await askWithin(bus, checkModels, { models, providerKeys }, { problems: [] });
  for (const [index, problem] of problems.entries()) {
    const field = named[index]?.field;
    if (problem && field)
      throw new RoostError('VALIDATION_ERROR', `${field}: ${problem}`, [{ field, reason: 'unknown_model' }]);
  }
}
