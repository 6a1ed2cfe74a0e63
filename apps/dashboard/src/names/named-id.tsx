import { visibleText } from '../components/visible-text.js';
import type { NameOf } from './use-names.js';

/** A name where there is one, with its id on hover; else the id. */
export function NamedId({ id, nameOf }: { id: string; nameOf: NameOf }) {
  const name = nameOf(id);
  if (name === undefined) return <code className="font-mono text-xs">{visibleText(id)}</code>;
  return <span title={visibleText(id)}>{visibleText(name)}</span>;
}
