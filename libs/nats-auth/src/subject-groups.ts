import * as contracts from '#lib/contracts';

/** A contract's subject as permissions write it: `workspace.*.file.read`. */
export const patternOf = ({ subject }: { subject: string }) => subject.replace(/\{\w+\}/g, '*');

/** Whether a pattern with `*` and a last `>` covers all that another does. */
export function covers(pattern: string, subject: string): boolean {
  const tokens = subject.split('.');
  const wanted = pattern.split('.');
  return (
    wanted.every((token, at) => token === '*' || (token === '>' && at < tokens.length) || token === tokens[at]) &&
    (wanted.at(-1) === '>' || wanted.length === tokens.length)
  );
}

/** All requests that there are. */
export const everyRequest = Object.values(contracts as Record<string, unknown>).filter(
  (value): value is contracts.RequestContract =>
    typeof value === 'object' && value !== null && 'subject' in value && 'input' in value,
);

const requestSubjects = [...new Set(everyRequest.map(patternOf))];

/**
 * The same subjects, shorter: `scheduler.trigger.*` where every request of that group is among them. A user's
 * permissions travel in the one line with which it connects, and nats-server takes 4 KiB of it.
 */
export function inGroups(subjects: string[]): string[] {
  const wanted = new Set(subjects);
  const groupOf = (subject: string) => subject.slice(0, subject.lastIndexOf('.'));
  const isWhole = (group: string) => {
    const members = requestSubjects.filter((subject) => groupOf(subject) === group);
    return members.length > 1 && members.every((subject) => wanted.has(subject));
  };
  return [
    ...new Set(subjects.map((subject) => (isWhole(groupOf(subject)) ? `${groupOf(subject)}.*` : subject))),
  ].sort();
}

/**
 * The narrowest subject that covers all of these: one filter is all that nats-server knows before 2.10. The right to make
 * a consumer names its filter, so both come from here.
 */
export function commonSubject(subjects: string[]): string {
  const [first = [], ...others] = subjects.map((subject) => subject.split('.'));
  const differs = first.findIndex((token, at) => others.some((other) => other[at] !== token));
  return differs < 0 ? first.join('.') : [...first.slice(0, differs), '>'].join('.');
}
