/** The narrowest subject that covers all of these: one filter is all that nats-server knows before 2.10. */
export function commonSubject(subjects: string[]): string {
  const [first = [], ...others] = subjects.map((subject) => subject.split('.'));
  const differs = first.findIndex((token, at) => others.some((other) => other[at] !== token));
  return differs < 0 ? first.join('.') : [...first.slice(0, differs), '>'].join('.');
}
