import { type ReactNode, useState } from 'react';
import { type Pair, PairsField } from '../components/pairs-field.js';

interface MapFieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  value: unknown;
  onChange: (value: Record<string, string> | undefined) => void;
}

/** Texts by name. Begins with the value that it is first given: a name may be half typed, and none of the map yet. */
export function MapField({ label, hint, error, value, onChange }: MapFieldProps) {
  const [pairs, setPairs] = useState<Pair[]>(() =>
    Object.entries((value ?? {}) as Record<string, string>).map(([name, text]) => ({ name, value: text })),
  );
  const change = (next: Pair[]) => {
    setPairs(next);
    const named = next.filter(({ name }) => name !== '').map((pair) => [pair.name, pair.value] as const);
    onChange(named.length > 0 ? Object.fromEntries(named) : undefined);
  };
  return <PairsField label={label} hint={hint} pairs={pairs} onChange={change} error={error} />;
}
