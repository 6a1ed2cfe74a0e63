import type { AgentEvent, Message } from '@roost-ai/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentState, EMPTY_STATE } from './agent-state.js';
import { chatOf, runningTurn } from './agent-views.js';
import { addHistory, reduceEvent } from './reduce-events.js';

const AGENT = '01890000-0000-7000-8000-000000000001';
const at = (n: number) => new Date(1_800_000_000_000 + n * 1_000).toISOString();

function message(n: number, over: Partial<Message> = {}): Message {
  return {
    id: `msg_${String(n).padStart(4, '0')}`,
    role: 'user',
    content: `message ${n}`,
    metadata: {},
    status: 'pending',
    channel: 'api',
    queue_mode: 'collect',
    conversation_id: 'default',
    reply_to_id: null,
    created_at: at(n),
    delivered_at: null,
    read_at: null,
    error: null,
    waiting_for: null,
    ...over,
  };
}

const reduce = (events: AgentEvent[], state: AgentState = EMPTY_STATE) => events.reduce(reduceEvent, state);
const created = (n: number): AgentEvent => ({
  type: 'message.created',
  data: { agent_id: AGENT, message: message(n) },
});
const delta = (turn: string, of: number) => ({ agent_id: AGENT, turn_id: turn, message_id: message(of).id });

/** A whole turn that answers message `n`: text in pieces, one tool, its reply. */
function turnOf(n: number, pieces: string[]): AgentEvent[] {
  const id = `turn-${n}`;
  let seq = 0;
  const next = () => ({ ...delta(id, n), seq: seq++ });
  const text = pieces.join('');
  const ended = { status: 'read' as const, delivered_at: at(n), read_at: at(n) };
  const reply = message(n + 1_000, {
    role: 'assistant',
    content: text,
    status: 'delivered',
    reply_to_id: message(n).id,
    created_at: at(n),
  });
  return [
    created(n),
    { type: 'message.delivered', data: { agent_id: AGENT, message_id: message(n).id } },
    { type: 'turn.started', data: { agent_id: AGENT, turn_id: id, message_ids: [message(n).id], attempt: 1 } },
    { type: 'tool.call', data: { ...next(), tool: { call_id: `c${n}`, name: 'bash', input: { command: 'ls' } } } },
    {
      type: 'tool.result',
      data: { ...next(), tool: { call_id: `c${n}`, name: 'bash', output: 'notes.txt', is_error: false } },
    },
    ...pieces.map((piece): AgentEvent => ({ type: 'text.delta', data: { ...next(), text: piece } })),
    {
      type: 'message.completed',
      data: {
        agent_id: AGENT,
        turn_id: id,
        messages: [message(n, ended)],
        replies: [reply],
        usage: { input_tokens: 1, output_tokens: 1 },
      } as never,
    },
  ];
}

const pieces = fc.array(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });
const conversation = fc
  .array(pieces, { minLength: 1, maxLength: 5 })
  .map((turns) => turns.flatMap((of, n) => turnOf(n, of)));

describe('the state of an agent, made from its events', () => {
  it('is the same when any events come a second time, as after a lost connection', () => {
    fc.assert(
      fc.property(conversation, fc.array(fc.tuple(fc.nat(), fc.nat(6))), (events, repeats) => {
        const withRepeats = [...events];
        for (const [place, length] of repeats) {
          const from = place % events.length;
          // A connection that goes on sends again what came before the cut.
          const upTo = withRepeats.lastIndexOf(events[Math.min(from + length, events.length - 1)] as AgentEvent);
          withRepeats.splice(upTo + 1, 0, ...events.slice(from, from + length + 1));
        }
        expect(reduce(withRepeats)).toEqual(reduce(events));
      }),
    );
  });

  it('is the same wherever a page of the history comes in between', () => {
    fc.assert(
      fc.property(conversation, fc.nat(), (events, place) => {
        const whole = reduce(events);
        const cut = place % (events.length + 1);
        const [before, after] = [events.slice(0, cut), events.slice(cut)];
        // The history knows the end already, or only what was there then.
        for (const page of [[...whole.messages.values()], [...reduce(before).messages.values()]])
          expect(reduce(after, addHistory(reduce(before), page)).messages).toEqual(whole.messages);
      }),
    );
  });

  it('holds the text of each turn whole, in the order of its deltas', () => {
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 1, maxLength: 5 }), (turns) => {
        const state = reduce(turns.flatMap((of, n) => turnOf(n, of)));
        for (const [n, of] of turns.entries())
          expect(state.turns.get(`turn-${n}`)?.parts).toEqual([
            {
              kind: 'tool',
              callId: `c${n}`,
              name: 'bash',
              input: { command: 'ls' },
              output: 'notes.txt',
              isError: false,
            },
            { kind: 'text', text: of.join('') },
          ]);
        expect(runningTurn(state)).toBeUndefined();
      }),
    );
  });

  it('is never changed in place', () => {
    fc.assert(
      fc.property(conversation, (events) => {
        let state = EMPTY_STATE;
        for (const event of events) {
          const before = structuredClone(state);
          const next = reduceEvent(state, event);
          expect(state).toEqual(before);
          state = next;
        }
      }),
    );
  });

  it('takes up a turn in the middle, of which only deltas come', () => {
    const events = turnOf(1, ['hello ', 'world']);
    const late = events.slice(events.findIndex(({ type }) => type === 'text.delta'));
    const state = reduce(late.slice(0, 2), addHistory(EMPTY_STATE, [message(1, { status: 'delivered' })]));
    const [entry] = chatOf(state, 'default');
    expect(entry?.turn).toMatchObject({ status: 'running', parts: [{ kind: 'text', text: 'hello world' }] });
    expect(runningTurn(reduce(late, state))).toBeUndefined();
  });

  it('begins a text anew when the turn does', () => {
    const turn = 'turn-1';
    const state = reduce([
      ...turnOf(1, ['first']).slice(0, 4),
      { type: 'turn.restarted', data: { ...delta(turn, 1), seq: 9 } },
      { type: 'text.delta', data: { ...delta(turn, 1), seq: 10, text: 'second' } },
    ]);
    expect(state.turns.get(turn)?.parts).toEqual([{ kind: 'text', text: 'second' }]);
  });

  it('shows no turn as running that was given back, nor one whose end may have been missed', () => {
    const [, , started] = turnOf(1, ['x']) as [AgentEvent, AgentEvent, AgentEvent];
    const second: AgentEvent = {
      type: 'turn.started',
      data: { agent_id: AGENT, turn_id: 'turn-b', message_ids: [message(1).id], attempt: 2 },
    };
    const state = reduce([created(1), started, second]);
    expect([...state.turns.keys()]).toEqual(['turn-b']);
    expect(runningTurn(state)?.attempt).toBe(2);
    const gap = reduceEvent(state, { type: 'stream.gap', data: { message: '' } });
    expect([runningTurn(gap), gap.gaps]).toEqual([undefined, 1]);
  });

  it('keeps a turn that failed or was interrupted with its reason, whatever late deltas say', () => {
    const [, , started] = turnOf(1, ['x']) as [AgentEvent, AgentEvent, AgentEvent];
    const error = { code: 'PROVIDER_ERROR', message: 'no credit' };
    const failed: AgentEvent = {
      type: 'message.failed',
      data: { agent_id: AGENT, turn_id: 'turn-1', messages: [message(1, { status: 'read', error })], error },
    };
    const late: AgentEvent = { type: 'text.delta', data: { ...delta('turn-1', 1), seq: 5, text: 'late' } };
    const state = reduce([created(1), started, failed, late, started]);
    expect(state.turns.get('turn-1')).toMatchObject({ status: 'failed', error, parts: [] });
    expect(state.messages.get(message(1).id)?.error).toEqual(error);
  });

  it('follows the newest status, also when an older one comes late', () => {
    const status = (revision: number, to: 'paused' | 'active'): AgentEvent => ({
      type: 'agent.status',
      data: { agent_id: AGENT, status: to, previous: 'active', reason: null, revision },
    });
    expect(reduce([status(2, 'paused'), status(1, 'active')]).status).toMatchObject({ value: 'paused', revision: 2 });
  });

  it('sorts a conversation by time, and shows no other', () => {
    const state = addHistory(EMPTY_STATE, [message(3), message(1), message(2, { conversation_id: 'other' })]);
    expect(chatOf(state, 'default').map((entry) => entry.message.id)).toEqual([message(1).id, message(3).id]);
  });
});
