import type { AgentEvent, AgentEventOf, Message } from '@roost-ai/sdk';
import type { AgentState, Turn, TurnPart, TurnStatus } from './agent-state.js';

type MessageOfEvent = AgentEventOf<'message.created'>['data']['message'];
type Delta = AgentEventOf<'text.delta' | 'tool.call' | 'tool.result' | 'turn.restarted'>;

/** What an agent's page keeps; the oldest turn goes first. The history of messages is kept by its own pages. */
const MAX_TURNS = 200;

/**
 * The state after an event. Pure. Events may come twice, and what the history says may be newer than an event or older:
 * the result is that of each fact once. What has ended does not begin again.
 */
export function reduceEvent(state: AgentState, event: AgentEvent): AgentState {
  switch (event.type) {
    case 'message.created':
    case 'message.posted':
      return withMessages(state, [event.data.message]);
    case 'message.delivered':
      return withStatus(state, [event.data.message_id], 'delivered');
    case 'turn.started': {
      const { turn_id: id, message_ids: messageIds, attempt } = event.data;
      const known = state.turns.get(id);
      const begun = withTurn(endOthers(state, id), { ...(known ?? newTurn(id)), messageIds, attempt });
      return withStatus(begun, messageIds, 'delivered');
    }
    case 'text.delta':
    case 'tool.call':
    case 'tool.result':
    case 'turn.restarted':
      return withDelta(state, event);
    case 'turn.interrupted': {
      const { turn_id: id, message_ids: messageIds } = event.data;
      return withStatus(endTurn(state, id, 'interrupted', { messageIds }), messageIds, 'read');
    }
    case 'message.completed': {
      const { turn_id: id, messages, replies } = event.data;
      const ended = endTurn(state, id, 'completed', { messageIds: messages.map((message) => message.id) });
      return withMessages(ended, [...messages, ...replies]);
    }
    case 'message.failed': {
      const { turn_id: id, messages, error } = event.data;
      const ended = endTurn(state, id, 'failed', { messageIds: messages.map((message) => message.id), error });
      return withMessages(ended, messages);
    }
    case 'approval.requested': {
      const { turn_id: turnId, run_id: waiting } = event.data.approval;
      // A request of its sandbox that waits suspends no turn.
      if (turnId === null || waiting === null) return state;
      const known = state.turns.get(turnId);
      return known?.status === 'running' ? withTurn(state, { ...known, status: 'suspended' }) : state;
    }
    case 'agent.status': {
      const { status: value, reason, is_exhausted: isExhausted = false, revision } = event.data;
      if (state.status && state.status.revision >= revision) return state;
      return { ...state, status: { value, reason, isExhausted, revision } };
    }
    case 'agent.deleted':
      return { ...state, isDeleted: true };
    case 'stream.gap':
      // What was missed may be the end of a turn: only what is heard of again still runs.
      return { ...state, gaps: state.gaps + 1, turns: withoutRunning(state.turns) };
    default:
      // Of a newer Roost.
      return state;
  }
}

/** What a page of the history says. */
export function addHistory(state: AgentState, messages: readonly Message[]): AgentState {
  return withMessages(state, messages);
}

/** Times only get filled in, and states only go forward: the one that knows more is the newer. */
const RANK = { pending: 0, delivered: 1, read: 2, failed: 2 };

function withMessages(state: AgentState, given: readonly (Message | MessageOfEvent)[]): AgentState {
  const news = given.filter((message) => isNewer(message, state.messages.get(message.id)));
  if (news.length === 0) return state;
  const messages = new Map(state.messages);
  for (const message of news) messages.set(message.id, { waiting_for: null, ...message });
  return { ...state, messages };
}

function isNewer(message: Message | MessageOfEvent, known: Message | undefined): boolean {
  if (!known || RANK[message.status] > RANK[known.status]) return true;
  if (RANK[message.status] < RANK[known.status]) return false;
  // The history alone says what a message waits for.
  return 'waiting_for' in message || (message.error !== null && known.error === null);
}

function withStatus(state: AgentState, ids: readonly string[], status: 'delivered' | 'read'): AgentState {
  const changed = ids.flatMap((id) => {
    const message = state.messages.get(id);
    return message && RANK[message.status] < RANK[status] ? [{ ...message, status, waiting_for: null }] : [];
  });
  if (changed.length === 0) return state;
  const messages = new Map(state.messages);
  for (const message of changed) messages.set(message.id, message);
  return { ...state, messages };
}

const newTurn = (id: string): Turn => ({
  id,
  messageIds: [],
  attempt: 1,
  status: 'running',
  parts: [],
  lastSeq: -1,
});

function withTurn(state: AgentState, turn: Turn): AgentState {
  const turns = new Map(state.turns);
  turns.set(turn.id, turn);
  for (const id of turns.keys()) if (turns.size > MAX_TURNS && id !== turn.id) turns.delete(id);
  return { ...state, turns };
}

/** An agent has one running turn: one that is still said to run when another begins was given back, and waits. */
function endOthers(state: AgentState, id: string): AgentState {
  if (state.turns.get(id) && state.turns.get(id)?.status !== 'running') return state;
  const others = [...state.turns.values()].filter((turn) => turn.status === 'running' && turn.id !== id);
  if (others.length === 0) return state;
  const turns = new Map(state.turns);
  for (const turn of others) turns.delete(turn.id);
  return { ...state, turns };
}

function withoutRunning(turns: ReadonlyMap<string, Turn>): ReadonlyMap<string, Turn> {
  return new Map([...turns].filter(([, turn]) => turn.status !== 'running'));
}

function endTurn(
  state: AgentState,
  id: string,
  status: Exclude<TurnStatus, 'running'>,
  facts: Pick<Turn, 'messageIds'> & Partial<Pick<Turn, 'error'>>,
): AgentState {
  const known = state.turns.get(id);
  if (known && known.status !== 'running') return state;
  return withTurn(state, { ...(known ?? newTurn(id)), ...facts, status });
}

function withDelta(state: AgentState, event: Delta): AgentState {
  const { turn_id: id, message_id: messageId, seq } = event.data;
  const known = state.turns.get(id);
  // Late, or a double of a connection that was lost.
  if (known && (known.status !== 'running' || seq <= known.lastSeq)) return state;
  const turn = known ?? { ...newTurn(id), messageIds: [messageId] };
  return withTurn(known ? state : endOthers(state, id), {
    ...turn,
    lastSeq: seq,
    parts: partsAfter(turn.parts, event),
  });
}

function partsAfter(parts: TurnPart[], event: Delta): TurnPart[] {
  if (event.type === 'turn.restarted') return [];
  if (event.type === 'text.delta') {
    const last = parts.at(-1);
    if (last?.kind !== 'text') return [...parts, { kind: 'text', text: event.data.text }];
    return [...parts.slice(0, -1), { kind: 'text', text: last.text + event.data.text }];
  }
  if (event.type === 'tool.call') {
    const { call_id: callId, name, input } = event.data.tool;
    return [...parts, { kind: 'tool', callId, name, input, output: undefined, isError: false }];
  }
  const { call_id: callId, name, output = '', is_error: isError = false } = event.data.tool;
  const at = parts.findLastIndex((part) => part.kind === 'tool' && part.callId === callId);
  const call = parts[at];
  const done: TurnPart = {
    kind: 'tool',
    callId,
    name,
    input: call?.kind === 'tool' ? call.input : undefined,
    output,
    isError,
  };
  return at < 0 ? [...parts, done] : parts.toSpliced(at, 1, done);
}
