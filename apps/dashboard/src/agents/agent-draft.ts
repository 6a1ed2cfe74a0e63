import type { Provider } from '../settings/keys.js';
import type { KeyChanges } from './provider-key-fields.js';

/** Fields of the API's own names: what is sent. */
export type AgentDraft = Record<string, unknown>;

export interface AgentFormProps {
  draft: AgentDraft;
  /** Undefined while what was typed is no document. */
  onChange: (draft: AgentDraft | undefined) => void;
  errors: Record<string, string>;
  /** Whose body it becomes. */
  path: '/v1/agent/create' | '/v1/agent/update/{id}';
  /** Apart from the draft, so that no text shows them. */
  keys: KeyChanges;
  onKeys: (keys: KeyChanges) => void;
  presentKeys?: readonly Provider[];
  /** Another one when the draft was replaced by something that was not typed here. */
  generation?: number;
}
