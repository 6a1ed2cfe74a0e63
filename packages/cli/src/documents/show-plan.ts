import type { AppliedDocument, AppliedObject } from '@roost-ai/sdk';
import { clean, inLine } from '../output/clean.js';
import type { Output } from '../output/output.js';

/** Characters of a value in a line of a comparison; `--json` has all of it. */
const SHOWN = 60;
const SIGN = { create: '+', update: '~', delete: '-', none: ' ' };

/** What differs, field by field; nothing of what is as it should be. */
export function showPlan(out: Output, { objects }: AppliedDocument): void {
  for (const object of objects.filter(({ action }) => action !== 'none')) {
    out.line(out.bold(`${SIGN[object.action]} ${nameOf(object)}`));
    // All fields of what goes are gone: that it goes is enough.
    if (object.action !== 'delete') for (const line of object.changes.flatMap(linesOf)) out.line(`    ${line}`);
  }
}

/** One line for each object that was changed or was not. */
export function showResult(out: Output, { objects }: AppliedDocument): void {
  const done = { create: 'made', update: 'changed', delete: 'deleted', none: 'as it was' };
  for (const object of objects) {
    const { status, action, error, secret } = object;
    const outcome = status === 'done' ? done[action] : error ? `${status}: ${inLine(error.message, 500)}` : status;
    if (action !== 'none' || status !== 'done') out.line(`${nameOf(object)}  ${outcome}`);
    if (secret !== null) out.note(`its secret, shown this once: ${clean(secret)}`);
  }
}

const nameOf = ({ kind, agent, name }: AppliedObject) =>
  kind === 'agent' ? `agent ${inLine(name)}` : `${kind} ${inLine(agent)}/${inLine(name)}`;

function linesOf({ field, from, to, is_secret: isSecret }: AppliedObject['changes'][number]): string[] {
  const name = inLine(field, SHOWN);
  if (isSecret) return [`${name}: (a secret)`];
  if (from === null) return [`${name}: ${shown(to)}`];
  return [`${name}: ${shown(from)} → ${to === null ? '(none)' : shown(to)}`];
}

const shown = (value: unknown) => inLine(JSON.stringify(value), SHOWN);
