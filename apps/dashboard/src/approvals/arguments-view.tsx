import { argumentsOf } from './approvals.js';
import { ExactText } from './exact-text.js';

/** What a call would be carried out with, argument by argument, and nothing of it hidden. */
export function ArgumentsView({ text, label }: { text: string; label: string }) {
  const fields = argumentsOf(text);
  if (!fields) return <ExactText label={label} text={text} />;
  const entries = Object.entries(fields);
  if (entries.length === 0) return <p className="text-sm text-soft">Without arguments.</p>;
  return (
    <ul aria-label={label} className="space-y-3">
      {entries.map(([name, value]) => (
        <li key={name}>
          <ExactText
            name={name}
            within={label}
            label={typeof value === 'string' ? 'text' : 'JSON'}
            text={typeof value === 'string' ? value : JSON.stringify(value, null, 2)}
          />
        </li>
      ))}
    </ul>
  );
}
