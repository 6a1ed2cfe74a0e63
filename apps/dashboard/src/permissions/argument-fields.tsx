import type { Api } from '@roost-ai/sdk';
import { Button, IconButton } from '../components/button.js';
import { inputClass } from '../components/field.js';

/** A pattern while it is typed: its name may be none yet. */
export interface ArgumentRow {
  name: string;
  kind: 'glob' | 'regex';
  pattern: string;
}

interface ArgumentFieldsProps {
  label: string;
  rows: ArgumentRow[];
  onChange: (rows: ArgumentRow[]) => void;
}

/** What arguments have to look like, for a rule to match. */
export function ArgumentFields({ label, rows, onChange }: ArgumentFieldsProps) {
  const set = (at: number, change: Partial<ArgumentRow>) =>
    onChange(rows.map((row, index) => (index === at ? { ...row, ...change } : row)));
  return (
    <div className="space-y-2">
      {rows.map(({ name, kind, pattern }, index) => (
        <div key={index} className="flex flex-wrap gap-2">
          <input
            aria-label={`${label}: argument ${index + 1}`}
            placeholder="command"
            autoComplete="off"
            required
            value={name}
            onChange={({ target }) => set(index, { name: target.value })}
            className={`${inputClass} min-w-24 flex-1 font-mono`}
          />
          <select
            aria-label={`${label}: kind of pattern ${index + 1}`}
            value={kind}
            onChange={({ target }) => set(index, { kind: target.value as ArgumentRow['kind'] })}
            className={`${inputClass} w-36 flex-none`}
          >
            <option value="glob">looks like</option>
            <option value="regex">matches RE2</option>
          </select>
          <input
            aria-label={`${label}: pattern ${index + 1}`}
            placeholder={kind === 'glob' ? 'git *' : 'git (status|log).*'}
            autoComplete="off"
            value={pattern}
            onChange={({ target }) => set(index, { pattern: target.value })}
            className={`${inputClass} min-w-32 flex-2 font-mono`}
          />
          <IconButton
            icon="x"
            label={`${label}: remove argument ${index + 1}`}
            onClick={() => onChange(rows.toSpliced(index, 1))}
          />
        </div>
      ))}
      <Button kind="quiet" icon="plus" onClick={() => onChange([...rows, { name: '', kind: 'glob', pattern: '' }])}>
        {rows.length === 0 ? 'Only with certain arguments' : 'Another argument'}
      </Button>
    </div>
  );
}

export const rowsOf = (patterns: Api.PermissionRule['arguments']): ArgumentRow[] =>
  Object.entries(patterns ?? {}).map(([name, pattern]) => {
    if (typeof pattern === 'string') return { name, kind: 'glob', pattern };
    return 'glob' in pattern
      ? { name, kind: 'glob', pattern: pattern.glob }
      : { name, kind: 'regex', pattern: pattern.regex };
  });

/** Undefined: none. */
export function patternsOf(rows: ArgumentRow[]): NonNullable<Api.PermissionRule['arguments']> | undefined {
  if (rows.length === 0) return undefined;
  return Object.fromEntries(
    rows.map(({ name, kind, pattern }) => [name, kind === 'glob' ? pattern : { regex: pattern }]),
  );
}
