import type { FieldChange } from '@roost-ai/sdk';
import { CodeBlock } from '../components/code.js';
import { visibleText } from '../components/visible-text.js';

/** Field by field: what it was, and what it became. */
export function FieldChanges({ changes }: { changes: FieldChange[] }) {
  return (
    <ul aria-label="Changes" className="divide-y divide-line">
      {changes.map((change) => (
        <li key={change.field} className="space-y-2 py-3 first:pt-0 last:pb-0">
          <p className="font-mono text-sm font-medium wrap-anywhere">{visibleText(change.field)}</p>
          <div className="grid gap-2 sm:grid-cols-2">
            <Value of={change} side="from" />
            <Value of={change} side="to" />
          </div>
        </li>
      ))}
    </ul>
  );
}

const SIDES = {
  from: { label: 'Before', mark: '−', className: 'text-bad' },
  to: { label: 'After', mark: '+', className: 'text-ok' },
} as const;

function Value({ of: change, side }: { of: FieldChange; side: 'from' | 'to' }) {
  const { label, mark, className } = SIDES[side];
  return (
    <div className="min-w-0">
      <p className={`pb-0.5 text-xs font-medium ${className}`}>
        <span aria-hidden>{mark} </span>
        {label}
      </p>
      <CodeBlock text={textOf(change, side)} label={`${label}: ${change.field}`} />
    </div>
  );
}

function textOf({ secret, ...change }: FieldChange, side: 'from' | 'to'): string {
  if (secret) return secret[side] === null ? 'no secret' : `a secret, set in version ${secret[side]}`;
  const value: unknown = change[side];
  if (value === null) return 'nothing';
  return visibleText(typeof value === 'string' ? value : JSON.stringify(value, null, 2));
}
