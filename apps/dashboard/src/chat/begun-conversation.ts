const begun = new Intl.DateTimeFormat('en-GB', {
  ...{ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
});

/** Of one that was begun here, when: `Begun 29 Nov, 21:42`. */
export function begunText(id: string): string | undefined {
  const [, date, time] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d) [a-z0-9]+$/.exec(id) ?? [];
  const at = new Date(`${date}T${time}Z`);
  return Number.isNaN(at.getTime()) ? undefined : `Begun ${begun.format(at)}`;
}

/** An id for a new one that says when it began. */
export function newConversationId(now = new Date()): string {
  const date = now.toISOString().slice(0, 16).replace('T', ' ');
  return `${date} ${Math.random().toString(36).slice(2, 6)}`;
}
