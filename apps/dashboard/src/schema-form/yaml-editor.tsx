import { useState } from 'react';
import { parse, stringify } from 'yaml';
import { TextArea } from '../components/field.js';

type Value = Record<string, unknown>;

interface YamlEditorProps {
  label: string;
  value: Value;
  /** Undefined while the text is none. */
  onChange: (value: Value | undefined) => void;
}

/** The same as text: YAML, and so JSON, too. */
export function YamlEditor({ label, value, onChange }: YamlEditorProps) {
  const [text, setText] = useState(() => stringify(value, { lineWidth: 0 }));
  const [wrong, setWrong] = useState<string>();
  const change = (next: string) => {
    setText(next);
    try {
      const read: unknown = parse(next, { maxAliasCount: 10 });
      if (typeof read !== 'object' || read === null || Array.isArray(read))
        throw new Error('fields and values are expected');
      onChange(read as Value);
      setWrong(undefined);
    } catch (problem) {
      onChange(undefined);
      setWrong(problem instanceof Error ? problem.message : String(problem));
    }
  };
  return (
    <TextArea
      label={label}
      hint="YAML or JSON, with the fields of the API."
      error={wrong}
      rows={22}
      spellCheck={false}
      value={text}
      onChange={({ target }) => change(target.value)}
      className="font-mono text-xs leading-relaxed"
    />
  );
}
