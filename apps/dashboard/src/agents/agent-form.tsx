import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { roost } from '../api/roost.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { SelectField, TextArea, TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import { Segmented } from '../components/segmented.js';
import { apiDocumentQuery, bodySchemaOf, textOf } from '../schema-form/json-schema.js';
import { SchemaForm } from '../schema-form/schema-form.js';

const YamlEditor = lazy(() => import('../schema-form/yaml-editor.js').then((file) => ({ default: file.YamlEditor })));

/** Fields of the API's own names: what is sent. */
export type AgentDraft = Record<string, unknown>;

interface AgentFormProps {
  draft: AgentDraft;
  /** Undefined while what was typed is no document. */
  onChange: (draft: AgentDraft | undefined) => void;
  errors: Record<string, string>;
  /** Whose body it becomes. */
  path: '/v1/agent/create' | '/v1/agent/update/{id}';
}

/** Shown above the rest, in words that a person begins with. */
const FIRST = ['name', 'description', 'system_prompt', 'session_mode', 'output_token_balance', 'configuration'];
const VIEWS = [
  { value: 'form', label: 'Form' },
  { value: 'yaml', label: 'YAML' },
] as const;
/** Edited on a screen of their own. */
const ELSEWHERE = ['initial_files', 'files'];

/** An agent's settings: the common ones first, then all that the API takes; or the same as text. */
export function AgentForm({ draft, onChange, errors, path }: AgentFormProps) {
  const [view, setView] = useState<'form' | 'yaml'>('form');
  return (
    <div className="space-y-5">
      <Segmented label="How to edit" options={VIEWS} value={view} onChange={setView} />
      {view === 'form' ? (
        <Fields draft={draft} onChange={onChange} errors={errors} path={path} />
      ) : (
        <Suspense fallback={<Skeletons count={1} className="h-96" />}>
          <YamlEditor label="Agent" value={draft} onChange={onChange} />
        </Suspense>
      )}
    </div>
  );
}

function Fields({ draft, onChange, errors, path }: AgentFormProps) {
  const document = useQuery(apiDocumentQuery);
  const schema = document.data && bodySchemaOf(document.data, path);
  const configuration = (draft['configuration'] ?? {}) as AgentDraft;
  const set = (name: string, value: unknown) => onChange({ ...draft, [name]: value });
  const setConfiguration = (value: AgentDraft) => set('configuration', value);
  return (
    <div className="space-y-5">
      <Section title="The agent">
        <div className="space-y-4">
          <TextField
            label="Name"
            required
            maxLength={200}
            value={textOf(draft['name'])}
            onChange={({ target }) => set('name', target.value)}
            error={errors['name']}
          />
          <TextField
            label="Description"
            hint="For you and others: what it is there for."
            value={textOf(draft['description'])}
            onChange={({ target }) => set('description', target.value || null)}
            error={errors['description']}
          />
          <TextArea
            label="Instructions"
            hint="What it should do and how. They stand in front of every conversation."
            rows={6}
            value={textOf(draft['system_prompt'])}
            onChange={({ target }) => set('system_prompt', target.value || null)}
            error={errors['system_prompt']}
          />
          <ModelField
            value={configuration['model']}
            onChange={(model) => {
              const { model: _, ...others } = configuration;
              setConfiguration(model === undefined ? others : { ...others, model });
            }}
            error={errors['configuration.model']}
          />
          <SelectField
            label="Memory between messages"
            value={textOf(draft['session_mode'], 'ephemeral')}
            onChange={({ target }) => set('session_mode', target.value)}
            hint="With one session it remembers what it did; otherwise it sees the latest messages alone. Its files stay either way."
          >
            <option value="persistent">One session for each conversation</option>
            <option value="ephemeral">Anew for each message</option>
          </SelectField>
          <TextField
            label="Output tokens it may spend"
            type="number"
            min={0}
            value={Number(draft['output_token_balance'] ?? 1_000_000)}
            onChange={({ target }) => set('output_token_balance', Number(target.value))}
            error={errors['output_token_balance']}
          />
        </div>
      </Section>
      <details className="rounded-2xl border border-line bg-surface">
        <summary className="px-5 py-3.5 font-semibold">All settings</summary>
        <div className="space-y-4 px-5 pb-5">
          {document.error && <ErrorNote error={document.error} onRetry={() => void document.refetch()} />}
          {!schema && !document.error && <Skeletons count={3} />}
          {schema?.properties?.['configuration'] && (
            <SchemaForm
              schema={schema.properties['configuration']}
              value={configuration}
              onChange={setConfiguration}
              errors={errors}
              path="configuration"
              without={['model']}
            />
          )}
          {schema && (
            <SchemaForm
              schema={schema}
              value={draft}
              onChange={onChange}
              errors={errors}
              without={[...FIRST, ...ELSEWHERE]}
            />
          )}
        </div>
      </details>
    </div>
  );
}

function ModelField({
  value,
  onChange,
  error,
}: {
  value: unknown;
  onChange: (model: string | undefined) => void;
  error: string | undefined;
}) {
  const { data } = useQuery({
    queryKey: ['models'],
    queryFn: ({ signal }) => roost.models({ signal }),
    staleTime: 60_000,
  });
  const models = data?.models ?? [];
  const normal = models.find((model) => model.is_default);
  const isUnlisted = typeof value === 'string' && !models.some(({ id }) => id === value);
  return (
    <SelectField
      label="Model"
      value={typeof value === 'string' ? value : ''}
      onChange={({ target }) => onChange(target.value || undefined)}
      error={error}
      hint={data?.notes[0]}
    >
      <option value="">{normal ? `Default: ${normal.name}` : 'Default'}</option>
      {isUnlisted && <option value={value}>{value}</option>}
      {models.map(({ id, name, provider }) => (
        <option key={id} value={id}>
          {name} ({provider})
        </option>
      ))}
    </SelectField>
  );
}
