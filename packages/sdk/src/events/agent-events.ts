import type { EventsFollowResponses, RunsEventsResponses } from '../generated/types.gen.js';

type Sent = EventsFollowResponses[200];
type EndOfConnection = { type: 'stream.cut' | 'stream.ended' };

/** An event of a kind that this version of the SDK does not know. */
export interface UnknownEvent {
  type: 'unknown';
  id?: string;
  /** What the server calls it. */
  name: string;
  data: unknown;
}

/** What happens to an agent, distinguished by `type`. Ends of streams are not among them: they are mended, or errors. */
export type AgentEvent = Exclude<Sent, EndOfConnection> | UnknownEvent;
/** What happens in a run, the last being `run.ended`. */
export type RunEvent = Exclude<RunsEventsResponses[200], EndOfConnection> | UnknownEvent;
/** An event of either stream. */
export type AnyEvent = AgentEvent | RunEvent;
export type AgentEventType = AgentEvent['type'];
/** The event of one type. */
export type AgentEventOf<T extends AgentEventType> = Extract<AgentEvent, { type: T }>;

/** Complete by its type: what is missing here does not compile. */
const KNOWN: Record<Exclude<AnyEvent['type'], 'unknown'>, true> = {
  'message.created': true,
  'message.delivered': true,
  'message.posted': true,
  'turn.started': true,
  'text.delta': true,
  'tool.call': true,
  'tool.result': true,
  'turn.restarted': true,
  'approval.requested': true,
  'approval.decided': true,
  'approval.expired': true,
  'turn.interrupted': true,
  'message.completed': true,
  'message.failed': true,
  'agent.status': true,
  'automation.started': true,
  'automation.returned': true,
  'run.ended': true,
  'agent.deleted': true,
  'stream.gap': true,
};

export function eventOf<E extends AnyEvent>(name: string, id: string | undefined, data: unknown): E {
  const known = Object.hasOwn(KNOWN, name);
  const event = known ? { type: name, data } : { type: 'unknown', name, data };
  return { ...event, ...(id === undefined ? {} : { id }) } as E;
}
