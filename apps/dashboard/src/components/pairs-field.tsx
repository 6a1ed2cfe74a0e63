import type { ReactNode } from 'react';
import { Button, IconButton } from './button.js';
import { inputClass } from './field.js';

export interface Pair {
  name: string;
  value: string;
}

interface PairsFieldProps {
  label: string;
  hint: ReactNode;
  pairs: Pair[];
  onChange: (pairs: Pair[]) => void;
  error: string | undefined;
}

/** Names with secret values, as many as there are. */
export function PairsField({ label, hint, pairs, onChange, error }: PairsFieldProps) {
  const set = (at: number, change: Partial<Pair>) =>
    onChange(pairs.map((pair, index) => (index === at ? { ...pair, ...change } : pair)));
  return (
    <fieldset className="space-y-2">
      <legend className="text-sm font-medium">{label}</legend>
      {pairs.map(({ name, value }, index) => (
        <div key={index} className="flex gap-2">
          <input
            aria-label={`${label}: name ${index + 1}`}
            placeholder="Name"
            autoComplete="off"
            value={name}
            onChange={({ target }) => set(index, { name: target.value })}
            className={`${inputClass} min-w-0 flex-1 font-mono`}
          />
          <input
            aria-label={`${label}: value ${index + 1}`}
            placeholder="Value"
            type="password"
            autoComplete="off"
            required={name !== ''}
            value={value}
            onChange={({ target }) => set(index, { value: target.value })}
            className={`${inputClass} min-w-0 flex-1 font-mono`}
          />
          <IconButton
            icon="x"
            label={`Remove ${name || 'it'}`}
            onClick={() => onChange(pairs.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <Button icon="plus" onClick={() => onChange([...pairs, { name: '', value: '' }])}>
        Add one
      </Button>
      <p className="text-xs text-faint">{hint}</p>
      {error && <p className="text-xs font-medium text-bad">{error}</p>}
    </fieldset>
  );
}
