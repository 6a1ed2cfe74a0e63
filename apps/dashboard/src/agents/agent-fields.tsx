import type { Api } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { CheckField, SelectField, TextArea, TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import { apiDocumentQuery, bodySchemaOf, textOf } from '../schema-form/json-schema.js';
import { SchemaForm } from '../schema-form/schema-form.js';
import { NumberField } from '../schema-form/number-field.js';
import { PermissionFields } from '../permissions/permission-fields.js';
import type { AgentDraft, AgentFormProps } from './agent-draft.js';
import { ModelField } from './model-field.js';

/** Shown above the rest, in words that a person begins with. */
const FIRST = [
  ...['name', 'description', 'system_prompt', 'system_prompt_type', 'session_mode', 'output_token_balance'],
  ...['warmth_window_ms', 'configuration'],
];
/** Edited on screens of their own, or beside the form. */
const ELSEWHERE = [
  ...['initial_files', 'files', 'note', 'provider_keys', 'anthropic_api_key'],
  ...['discord_bot_token', 'slack_bot_token', 'slack_app_token', 'telegram_bot_token'],
];
/** Of the configuration. */
const CONFIGURED_ABOVE = ['model', 'permissions'];
const DEFAULT_WARMTH_MS = 300_000;

/** An agent's settings as fields. */
export function AgentFields({
  draft,
  onChange,
  errors,
  path,
  generation = 0,
}: Omit<AgentFormProps, 'keys' | 'onKeys'>) {
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
          <SelectField
            label="Where they stand"
            value={textOf(draft['system_prompt_type'], 'append')}
            onChange={({ target }) => set('system_prompt_type', target.value)}
            error={errors['system_prompt_type']}
          >
            <option value="append">After what Roost itself says about the workspace and its tools</option>
            <option value="replace">In place of it</option>
          </SelectField>
          <ModelField
            value={configuration['model']}
            onChange={(model) => setConfiguration(withField(configuration, 'model', model))}
            error={errors['configuration.model']}
          />
          <SelectField
            label="Memory between messages"
            value={textOf(draft['session_mode'], 'ephemeral')}
            onChange={({ target }) => set('session_mode', target.value)}
            hint="With one session it remembers what it did; otherwise it sees the latest messages alone. Its files stay either way."
            error={errors['session_mode']}
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
          <Warmth
            value={draft['warmth_window_ms']}
            onChange={(value) => set('warmth_window_ms', value)}
            error={errors['warmth_window_ms']}
          />
        </div>
      </Section>
      <PermissionFields
        key={`permissions-${generation}`}
        value={configuration['permissions'] as Api.Permissions | undefined}
        onChange={(permissions) => setConfiguration(withField(configuration, 'permissions', permissions))}
        errors={errors}
      />
      <AllSettings key={generation} {...{ draft, onChange, errors, path, configuration, setConfiguration }} />
    </div>
  );
}

function withField(fields: AgentDraft, name: string, value: unknown): AgentDraft {
  const { [name]: _, ...others } = fields;
  return value === undefined ? others : { ...others, [name]: value };
}

interface WarmthProps {
  value: unknown;
  onChange: (ms: number | null | undefined) => void;
  error: string | undefined;
}

/** An empty field and `always` are not the same, so each has a control of its own. */
function Warmth({ value, onChange, error }: WarmthProps) {
  return (
    <div className="space-y-4">
      <CheckField
        label="Keep its workspace always awake"
        hint="It answers a little sooner, and takes memory all the time."
        checked={value === null}
        onChange={({ target }) => onChange(target.checked ? null : DEFAULT_WARMTH_MS)}
      />
      {value !== null && (
        <NumberField
          name="warmth_window_ms"
          label="Awake after its last use, in milliseconds"
          min={DEFAULT_WARMTH_MS}
          placeholder={`Default: ${DEFAULT_WARMTH_MS}`}
          value={value}
          onChange={(ms) => onChange(ms ?? DEFAULT_WARMTH_MS)}
          error={error}
        />
      )}
    </div>
  );
}

const isAbove = (field: string) => CONFIGURED_ABOVE.includes(field.split('.')[1] ?? '');

interface AllSettingsProps extends Pick<AgentFormProps, 'draft' | 'onChange' | 'errors' | 'path'> {
  configuration: AgentDraft;
  setConfiguration: (configuration: AgentDraft) => void;
}

/** Whatever else the API takes. It opens when something in it was refused. */
function AllSettings({ draft, onChange, errors, path, configuration, setConfiguration }: AllSettingsProps) {
  const document = useQuery(apiDocumentQuery);
  const schema = document.data && bodySchemaOf(document.data, path);
  const details = useRef<HTMLDetailsElement>(null);
  const isRefused = Object.keys(errors).some(
    (field) => !isAbove(field) && (field.startsWith('configuration.') || !FIRST.includes(field)),
  );
  useEffect(() => {
    if (isRefused && details.current) details.current.open = true;
  }, [isRefused, errors]);
  return (
    <details ref={details} className="rounded-2xl border border-line bg-surface">
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
            without={CONFIGURED_ABOVE}
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
  );
}
