import type { Api } from '@roost-ai/sdk';
import { useId, useState } from 'react';
import { IconButton } from '../components/button.js';
import { CheckField, SelectField, TextField } from '../components/field.js';
import { ArgumentFields, type ArgumentRow, rowsOf, patternsOf } from './argument-fields.js';
import { BUILT_IN_TOOLS } from './tools.js';

type Rule = Api.PermissionRule;
const SOURCES = ['api', 'discord', 'slack', 'telegram', 'schedule', 'trigger'] as const;

interface RuleFieldsProps {
  number: number;
  rule: Rule;
  onChange: (rule: Rule) => void;
  onRemove: () => void;
  /** Undefined: it cannot go there. */
  onUp: (() => void) | undefined;
  onDown: (() => void) | undefined;
  error: string | undefined;
}

/** One rule: which calls, and what becomes of them. */
export function RuleFields({ number, rule, onChange, onRemove, onUp, onDown, error }: RuleFieldsProps) {
  const listId = useId();
  const { tool, action, sources, exact = false } = rule;
  const [rows, setRows] = useState<ArgumentRow[]>(() => rowsOf(rule.arguments));
  const set = ({ sources: from = sources, ...change }: Partial<Rule>, named = patternsOf(rows)) => {
    const { arguments: _, sources: __, exact: ___, ...rest } = { ...rule, ...change };
    const isExact = change.exact ?? exact;
    onChange({
      ...rest,
      ...(named && { arguments: named }),
      ...(from && from.length > 0 && { sources: from }),
      ...(isExact && { exact: true }),
    });
  };
  return (
    <fieldset className="space-y-3 rounded-xl border border-line p-4">
      <legend className="sr-only">Rule {number}</legend>
      <div className="flex flex-wrap items-end gap-2">
        <div className="min-w-40 grow">
          <TextField
            label={`Rule ${number}: tool`}
            list={listId}
            required
            placeholder="bash, mcp:github/*"
            value={tool}
            onChange={({ target }) => set({ tool: target.value })}
            error={error}
            className="font-mono"
          />
          <datalist id={listId}>
            {BUILT_IN_TOOLS.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </div>
        <div className="w-40">
          <SelectField
            label="Its calls"
            value={action}
            onChange={({ target }) => set({ action: target.value as Api.PermissionAction })}
          >
            <option value="ask">are asked about</option>
            <option value="allow">are allowed</option>
            <option value="deny">are denied</option>
          </SelectField>
        </div>
        <div className="flex">
          <IconButton icon="arrow-up" label={`Rule ${number} up`} disabled={!onUp} onClick={onUp} />
          <IconButton icon="arrow-down" label={`Rule ${number} down`} disabled={!onDown} onClick={onDown} />
          <IconButton icon="trash-2" label={`Remove rule ${number}`} onClick={onRemove} />
        </div>
      </div>
      <ArgumentFields
        label={`Rule ${number}`}
        rows={rows}
        onChange={(next) => {
          setRows(next);
          set({}, patternsOf(next));
        }}
      />
      {rows.length > 0 && (
        <CheckField
          label="Only without other arguments than these"
          checked={exact}
          onChange={({ target }) => set({ exact: target.checked })}
        />
      )}
      <details>
        <summary className="text-sm text-soft">
          {sources ? `Only of ${sources.join(', ')}` : 'However the turn began'}
        </summary>
        <div role="group" aria-label={`Rule ${number}: how the turn began`} className="grid gap-2 pt-2 sm:grid-cols-3">
          {SOURCES.map((source) => (
            <CheckField
              key={source}
              label={source}
              checked={sources?.includes(source) ?? false}
              onChange={({ target }) =>
                set({
                  sources: target.checked
                    ? [...(sources ?? []), source]
                    : (sources ?? []).filter((each) => each !== source),
                })
              }
            />
          ))}
        </div>
      </details>
    </fieldset>
  );
}
