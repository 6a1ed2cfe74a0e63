import { lazy, Suspense, useState } from 'react';
import { Skeletons } from '../components/feedback.js';
import { Segmented } from '../components/segmented.js';
import { AgentFields } from './agent-fields.js';
import { type KeyChanges, ProviderKeyFields } from './provider-key-fields.js';
import type { Provider } from '../settings/keys.js';

const YamlEditor = lazy(() => import('../schema-form/yaml-editor.js').then((file) => ({ default: file.YamlEditor })));

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

const VIEWS = [
  { value: 'form', label: 'Form' },
  { value: 'yaml', label: 'YAML' },
] as const;

/** An agent's settings: the common ones first, then all that the API takes; or the same as text. */
export function AgentForm({ keys, onKeys, presentKeys = [], ...props }: AgentFormProps) {
  const { draft, onChange, errors, generation = 0 } = props;
  const [view, setView] = useState<'form' | 'yaml'>('form');
  return (
    <div className="space-y-5">
      <Segmented label="How to edit" options={VIEWS} value={view} onChange={setView} />
      {view === 'form' ? (
        <AgentFields {...props} />
      ) : (
        <Suspense fallback={<Skeletons count={1} className="h-112" />}>
          <YamlEditor key={generation} label="Agent" value={draft} onChange={onChange} errors={errors} />
        </Suspense>
      )}
      <ProviderKeyFields changes={keys} onChange={onKeys} present={presentKeys} errors={errors} />
    </div>
  );
}
