import { lazy, Suspense, useState } from 'react';
import { Skeletons } from '../components/feedback.js';
import { Segmented } from '../components/segmented.js';
import type { AgentFormProps } from './agent-draft.js';
import { AgentFields } from './agent-fields.js';
import { ProviderKeyFields } from './provider-key-fields.js';

const YamlEditor = lazy(() => import('../schema-form/yaml-editor.js').then((file) => ({ default: file.YamlEditor })));

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
