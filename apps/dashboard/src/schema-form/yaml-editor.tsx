import { useRef, useState } from 'react';
import { parse, stringify } from 'yaml';
import { CodeEditor } from '../code-editor/code-editor.js';

type Value = Record<string, unknown>;

interface YamlEditorProps {
  label: string;
  value: Value;
  /** Undefined while the text is none. */
  onChange: (value: Value | undefined) => void;
  /** What the API found wrong, by the path of the field. */
  errors: Record<string, string>;
}

/** The same as text: YAML, and so JSON, too. It begins with the value that it is first given. */
export function YamlEditor({ label, value, onChange, errors }: YamlEditorProps) {
  const [begun] = useState(() => stringify(value, { lineWidth: 0 }));
  const [wrong, setWrong] = useState<string>();
  const change = (text: string) => {
    try {
      onChange(documentOf(text));
      setWrong(undefined);
    } catch (problem) {
      onChange(undefined);
      setWrong(problem instanceof Error ? problem.message : String(problem));
    }
  };
  const place = useRef<HTMLDivElement>(null);
  const refused = Object.entries(errors);
  return (
    <div className="space-y-1.5">
      <div ref={place} className="h-112 overflow-hidden rounded-xl border border-line-strong">
        <CodeEditor
          label={`${label} as YAML`}
          name="agent.yaml"
          text={begun}
          onChange={change}
          onSave={() => place.current?.closest('form')?.requestSubmit()}
        />
      </div>
      <p className="text-xs text-faint">
        YAML or JSON, with the fields of the API. A secret that reads *** stays what it is. Tab leaves the editor.
      </p>
      <div role="status" className="text-xs font-medium text-bad">
        {wrong && <p className="font-mono wrap-anywhere whitespace-pre-wrap">{wrong}</p>}
        {!wrong && refused.length > 0 && (
          <ul aria-label="Refused fields">
            {refused.map(([field, reason]) => (
              <li key={field} className="wrap-anywhere">
                <code className="font-mono">{field}</code>: {reason}
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

/** Errors: of what is no YAML, or no object. */
function documentOf(text: string): Value {
  const read: unknown = parse(text, { maxAliasCount: 10 });
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new Error('fields and values are expected');
  return read as Value;
}
