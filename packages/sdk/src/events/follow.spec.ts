import { afterEach, describe, expect, it } from 'vitest';
import { json, type Reaction, refusal, scriptedServer } from '../../test/scripted-server.js';
import {
  type AgentEvent,
  AuthenticationError,
  ConnectionError,
  PermissionError,
  QuotaExceededError,
  Roost,
} from '../index.js';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function against(...reactions: Reaction[]) {
  const server = await scriptedServer(...reactions);
  closers.push(server.close);
  return { ...server, agent: new Roost({ url: server.url, retryForMs: 60_000 }).agent('a') };
}

/** A connection that says this, and breaks off unless it stays. */
const sends =
  (text: string, stays = false): Reaction =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => (stays ? undefined : setTimeout(() => response.destroy(), 20)));
  };

const delta = (id: string, text: string) => `id: ${id}\nevent: text.delta\ndata: ${JSON.stringify({ text })}\n\n`;
const deleted = 'event: agent.deleted\ndata: {"agent_id":"a"}\n\n';

async function all(events: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const found: AgentEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}
const texts = (events: AgentEvent[]) =>
  events.flatMap((event) => (event.type === 'text.delta' ? [event.data.text] : []));

describe('following events', () => {
  it('goes on after the last event when a connection is lost, also in the middle of one', async () => {
    const { agent, calls } = await against(
      sends(`id: 0\n\n${delta('1', 'a')}${delta('2', 'lost').slice(0, -3)}`),
      json(502, 'no server'),
      (response) => void response.destroy(),
      sends(`${delta('2', 'b')}event: stream.cut\ndata: {"reason":"too_slow","message":""}\n\n`, true),
      sends(delta('3', 'c') + deleted),
    );
    expect(texts(await all(agent.events()))).toEqual(['a', 'b', 'c']);
    expect(calls.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1', '1', '1', '2']);
  });

  it('knows where it is before the first event, and takes up where the caller says', async () => {
    const { agent, calls } = await against(sends('id: 7\n\n'), sends(deleted));
    await all(agent.events({ messageId: 'msg 1' }));
    expect(calls[1]).toMatchObject({
      path: '/v1/agent/a/events?message_id=msg%201',
      headers: { 'last-event-id': '7' },
    });
    const given = await against(sends(deleted));
    await all(given.agent.events({ after: '5' }));
    expect(given.calls[0]?.headers['last-event-id']).toBe('5');
  });

  it('gives an event that it does not know, and a gap, as they are', async () => {
    const { agent } = await against(
      sends(`id: 1\nevent: run.step\ndata: {"n":1}\n\nevent: stream.gap\ndata: {"message":"some"}\n\n${deleted}`),
    );
    expect(await all(agent.events())).toEqual([
      { type: 'unknown', id: '1', name: 'run.step', data: { n: 1 } },
      { type: 'stream.gap', data: { message: 'some' } },
      { type: 'agent.deleted', data: { agent_id: 'a' } },
    ]);
  });

  it.each([
    ['credential_revoked', AuthenticationError],
    ['agents_disabled', PermissionError],
  ])('ends with an error when access ends: %s', async (reason, kind) => {
    const { agent } = await against(
      sends(`event: stream.ended\ndata: {"reason":"${reason}","message":"it ended"}\n\n`),
    );
    await expect(all(agent.events())).rejects.toThrow(kind);
  });

  it('waits for its own lost connection to be noticed, but for nobody else’s', async () => {
    const full = refusal(403, 'QUOTA_EXCEEDED');
    const lost = await against(sends('id: 1\n\n'), full, full, sends(deleted));
    expect(await all(lost.agent.events())).toHaveLength(1);
    const taken = await against(full);
    await expect(all(taken.agent.events())).rejects.toThrow(QuotaExceededError);
  });

  it('gives up when there was no connection for long enough', async () => {
    const { agent, close } = await against((response, call) => {
      sends(delta('1', 'a'))(response, call);
      setTimeout(close, 50);
    });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { type } of agent.events({ retryForMs: 500 })) seen.push(type);
    })();
    await expect(reading).rejects.toThrow(ConnectionError);
    expect(seen).toEqual(['text.delta']);
  });

  it('ends when the caller leaves, and with the signal’s reason', async () => {
    const { agent, calls } = await against(sends(delta('1', 'a') + delta('2', 'b'), true));
    for await (const { type } of agent.events()) {
      expect(type).toBe('text.delta');
      break;
    }
    const reason = new Error('enough');
    const abort = new AbortController();
    const reading = (async () => {
      for await (const { id } of agent.events({ signal: abort.signal })) if (id === '2') abort.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
    expect(calls).toHaveLength(2);
  });
});
