import { UUID_PATTERN } from '#lib/contracts';

/**
 * Where a reader is, as it travels in `id` and `Last-Event-ID`: the last durable event it has wholly seen, and how far
 * it is in what came after: `n` things of `inside`, which is a turn (its deltas) or a durable event sent in parts.
 */
export interface EventPosition {
  eventId: string | undefined;
  inside?: { id: string; n: number };
}

const POSITION = new RegExp(`^(${UUID_PATTERN})?(?:/(${UUID_PATTERN}):(\\d{1,9}))?$`);

/** Where a reader is that came before the agent's first event. */
const BEFORE_ALL = '0';

export function formatPosition({ eventId = '', inside }: EventPosition): string {
  return inside ? `${eventId}/${inside.id}:${inside.n}` : eventId || BEFORE_ALL;
}

/** Undefined when it is none of ours. */
export function parsePosition(given: string): EventPosition | undefined {
  if (given === BEFORE_ALL) return { eventId: undefined };
  const [, eventId, id, n] = POSITION.exec(given) ?? [];
  if (eventId === undefined && id === undefined) return undefined;
  return { eventId, ...(id === undefined ? {} : { inside: { id, n: Number(n) } }) };
}
