import type { ReactNode } from 'react';
import { bytesText, durationText } from '../components/amounts.js';
import { TextField } from '../components/field.js';

interface NumberFieldProps {
  /** As the API has it: its end says the unit. */
  name: string;
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  min?: number | undefined;
  max?: number | undefined;
  placeholder?: string;
  value: unknown;
  onChange: (value: number | undefined) => void;
}

/** A number, and what it comes to in units that people read. */
export function NumberField({ name, hint, value, onChange, ...rest }: NumberFieldProps) {
  const amount = typeof value === 'number' ? value : undefined;
  const read = amount === undefined ? undefined : readable(name, amount);
  return (
    <TextField
      {...rest}
      type="number"
      hint={
        read === undefined ? (
          hint
        ) : (
          <>
            {hint} <span className="font-medium text-soft">Now: {read}.</span>
          </>
        )
      }
      value={amount ?? ''}
      onChange={({ target }) => onChange(target.value === '' ? undefined : Number(target.value))}
    />
  );
}

const SIZES: [end: RegExp, text: (amount: number) => string][] = [
  [/_ms$/, durationText],
  [/_seconds$/, (seconds) => durationText(seconds * 1_000)],
  [/_mb$/, (mebibytes) => bytesText(mebibytes * 2 ** 20)],
  [/_bytes$/, bytesText],
];

const readable = (name: string, amount: number) => SIZES.find(([end]) => end.test(name))?.[1](amount);
