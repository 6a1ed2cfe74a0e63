import { type ReactNode, useState } from 'react';
import { TextArea } from '../components/field.js';

interface JsonFieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  example?: unknown;
  value: unknown;
  onChange: (value: unknown) => void;
}

/** A value for which there is no control of its own: as JSON, which is taken over once it is whole. */
export function JsonField({ label, hint, error, example, value, onChange }: JsonFieldProps) {
  const [text, setText] = useState(() => (value === undefined || value === null ? '' : JSON.stringify(value, null, 2)));
  const [wrong, setWrong] = useState<string>();
  const change = (next: string) => {
    setText(next);
    try {
      onChange(next.trim() === '' ? undefined : (JSON.parse(next) as unknown));
      setWrong(undefined);
    } catch (problem) {
      setWrong(`No JSON yet: ${problem instanceof Error ? problem.message : String(problem)}`);
    }
  };
  return (
    <TextArea
      label={label}
      hint={<>{hint} As JSON.</>}
      error={wrong ?? error}
      placeholder={example === undefined ? '{ }' : JSON.stringify(example)}
      spellCheck={false}
      value={text}
      onChange={({ target }) => change(target.value)}
      className="font-mono text-xs"
    />
  );
}
