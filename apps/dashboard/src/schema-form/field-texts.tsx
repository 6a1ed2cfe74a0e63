import { Fragment, type ReactNode } from 'react';

/** A description of the API's document: what stands between backticks is code. */
export function describedText(description: string | undefined): ReactNode {
  if (description === undefined) return undefined;
  return description
    .split('`')
    .map((part, index) => (
      <Fragment key={index}>{index % 2 === 1 ? <code className="font-mono">{part}</code> : part}</Fragment>
    ));
}

/** What is wrong with a field, or with something inside it that has no field of its own. */
export function errorAt(errors: Record<string, string>, path: string): string | undefined {
  if (errors[path] !== undefined) return errors[path];
  const [inside] = Object.entries(errors).filter(([field]) => field.startsWith(`${path}.`));
  return inside && `${inside[0].slice(path.length + 1)}: ${inside[1]}`;
}
