import { z } from 'zod';
import { Provider } from './provider-keys.js';
import { event, request } from './request.js';
import { AccountId, AgentId, Count, Timestamp, wire } from './wire.js';

/** Ends an agent's open sessions, or the one of a conversation: the next turn starts afresh. Errors: NOT_FOUND. */
export const resetSessions = request('runtime.session.reset', {
  input: wire({ agentId: AgentId, conversationId: z.string().min(1).max(300).optional() }),
  output: wire({ sessionsEnded: Count.describe('How many sessions were ended.') }),
});

export const ModelEntry = wire({
  id: z.string().describe('What `configuration.model` takes.'),
  provider: z.string().describe('Whose model it is.'),
  name: z.string().describe('What its provider calls it.'),
  isDefault: z.boolean().describe('Whether agents that name no model get this one.'),
}).meta({ id: 'Model', description: 'A model that agents can use.' });

/** The models that an account's agents can use without a key of their own. A provider that does not answer in time is left out, with a note. */
export const listModels = request('runtime.model.list', {
  input: wire({}),
  output: wire({
    models: z.array(ModelEntry).describe('What agents without a key of their own can use.'),
    notes: z.array(z.string()).describe('Why a provider’s models are missing, such as that it does not answer.'),
  }),
  timeoutMs: 10_000,
});

/** Why no turn could use a model of these names, null where one may or the provider's list is not known; for who sets them. */
export const checkModels = request('runtime.model.check', {
  input: wire({ models: z.array(z.string()).max(10), providerKeys: z.partialRecord(Provider, z.string()) }),
  output: wire({ problems: z.array(z.string().nullable()) }),
  timeoutMs: 6_000,
});

/** A provider refuses a key that an agent needs; once until a turn of the agent succeeds again. The message names the key. */
export const agentKeyRefused = event(
  'runtime.agent.key-refused',
  wire({
    agentId: AgentId,
    accountId: AccountId,
    code: z.literal('MODEL_KEY_REFUSED'),
    message: z.string(),
    occurredAt: Timestamp,
  }),
);
