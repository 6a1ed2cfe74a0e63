import { serve } from '#lib/rpc';
import {
  type AgentEvent,
  getAgent,
  listAgentEvents,
  type LiveEvent,
  liveSubject,
  replayLive,
  subjectOf,
} from '#lib/contracts';
import { connectAs, startRoost, type TestRoost, until } from '#lib/testing';
import { errors, type NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anAgent } from '../../test/an-agent.js';

const agentId = anAgent.id;
const eventId = (n: number) => `01890000-0000-7000-8000-0000000000${String(n).padStart(2, '0')}`;
const messageId = `msg_${eventId(50)}`;

describe('following an agent', () => {
  let roost: TestRoost;
  let nats: NatsConnection;
  const stored: AgentEvent[] = [];
  /** What an answer about events waits for. */
  let held = Promise.resolve();
  let asked = 0;

  /** Commits an event as messaging does; the hint on the bus is optional, because hints may be lost. */
  const happen = (n: number, subject: string, payload: Record<string, string | string[]>) => {
    stored.push({
      id: eventId(n),
      subject,
      payload: { agent_id: agentId, account_id: eventId(99), ...payload },
      createdAt: new Date(),
    });
    nats.publish(subject, JSON.stringify({ agent_id: agentId }));
  };

  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'] });
    nats = await connectAs(roost.natsCreds, roost.natsUrl);
    const fail = (error: unknown) => console.error(error);
    serve(nats, getAgent, getAgent.subject, () => anAgent, fail);
    serve(
      nats,
      listAgentEvents,
      listAgentEvents.subject,
      async ({ afterEventId }) => {
        asked += 1;
        await held;
        const after =
          afterEventId === undefined ? stored.length : stored.findIndex(({ id }) => id === afterEventId) + 1;
        const isKnown = afterEventId === undefined || after > 0;
        return { events: stored.slice(after), hasMore: false, isKnown, lastEventId: stored.at(-1)?.id ?? null };
      },
      fail,
    );
    await nats.flush();
    happen(1, 'events.messaging.message.created', {});
  });
  afterAll(async () => {
    await nats?.close();
    await roost?.stop();
  });

  const follow = async (headers: Record<string, string> = {}, query = '') => {
    const abort = new AbortController();
    const response = await fetch(`${roost.url}/v1/agent/${agentId}/events${query}`, {
      headers: { authorization: `Bearer ${roost.apiKey}`, ...headers },
      signal: abort.signal,
    });
    const seen = { text: '' };
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) seen.text += decoder.decode(chunk as Uint8Array, { stream: true });
    })().catch(() => undefined);
    return {
      response,
      seen,
      async stop() {
        abort.abort();
        await reading;
      },
    };
  };

  const hasListener = () =>
    nats.request(liveSubject(agentId), '{}', { timeout: 500 }).then(
      () => true,
      (error: unknown) => !(error instanceof errors.RequestError && error.isNoResponders()),
    );

  it('sends events and deltas as they come, without the account', async () => {
    const reader = await follow();
    expect(reader.response.headers.get('content-type')).toContain('text/event-stream');
    happen(2, 'events.messaging.turn.started', { message_ids: [messageId] });
    await until('the turn was sent', () => reader.seen.text.includes('event: turn.started'));
    nats.publish(
      liveSubject(agentId),
      JSON.stringify({
        type: 'text.delta',
        agent_id: agentId,
        turn_id: eventId(60),
        message_id: messageId,
        seq: 0,
        text: 'hel',
      }),
    );
    await until('the delta was sent', () => reader.seen.text.includes('event: text.delta'));
    expect(reader.seen.text).toContain(`id: ${eventId(2)}/${eventId(60)}:0`);
    expect(reader.seen.text).toContain('event: message.delivered');
    expect(reader.seen.text).not.toContain('account_id');
    expect(reader.seen.text).not.toContain(`id: ${eventId(1)}\nevent`);
    expect(reader.seen.text).toContain(`id: ${eventId(1)}\n\n`);
    await reader.stop();
  });

  it('resumes after the last event the reader saw, also from the id of a delta', async () => {
    const reader = await follow({ 'last-event-id': `${eventId(1)}/${eventId(60)}:7` });
    await until('what was missed was sent', () => reader.seen.text.includes(`id: ${eventId(2)}\n`));
    await reader.stop();
  });

  describe('where its events are not kept any more', () => {
    const gaps = ({ seen }: { seen: { text: string } }) => seen.text.split('event: stream.gap').length - 1;
    const readAgain = async () => {
      const before = asked;
      nats.publish('events.messaging.message.created', JSON.stringify({ agent_id: agentId }));
      await until('it reads again', () => asked > before);
    };
    let kept: AgentEvent[];
    beforeEach(() => (kept = [...stored]));
    afterEach(() => void stored.splice(0, Infinity, ...kept));

    it('has no gap for a reader that has read them, and gets the next ones once', async () => {
      const reader = await follow({ 'last-event-id': eventId(2) });
      await until('it has read', hasListener);
      happen(5, 'events.messaging.message.created', {});
      await until('it has the last', () => reader.seen.text.includes(`id: ${eventId(5)}\n`));
      stored.length = 0;
      for (let n = 0; n < 3; n += 1) await readAgain();
      happen(6, 'events.messaging.message.created', {});
      await until('it has the next', () => reader.seen.text.includes(`id: ${eventId(6)}\n`));
      expect(gaps(reader)).toBe(0);
      expect(reader.seen.text.split('event: message.created')).toHaveLength(3);
      await reader.stop();
    });

    it('says so once to a reader that resumes there', async () => {
      stored.length = 0;
      const reader = await follow({ 'last-event-id': eventId(2) });
      await until('it is told', () => gaps(reader) === 1);
      for (let n = 0; n < 3; n += 1) await readAgain();
      happen(5, 'events.messaging.message.created', {});
      await until('it has the next', () => reader.seen.text.includes(`id: ${eventId(5)}\n`));
      expect(gaps(reader)).toBe(1);
      await reader.stop();
    });
  });

  it('narrows to one message', async () => {
    const reader = await follow({ 'last-event-id': eventId(2) }, `?message_id=${messageId}`);
    happen(3, 'events.messaging.turn.started', { message_ids: [`msg_${eventId(51)}`] });
    happen(4, 'events.messaging.turn.started', { message_ids: [messageId] });
    await until('its turn was sent', () => reader.seen.text.includes(`id: ${eventId(4)}\n`));
    expect(reader.seen.text).not.toContain(`id: ${eventId(3)}\n`);
    await reader.stop();
  });

  it('ends when its reader goes, also before it has begun', async () => {
    let answer: () => void = () => undefined;
    held = new Promise((resolve) => (answer = resolve));
    const before = asked;
    const gone = new AbortController();
    const stream = fetch(`${roost.url}/v1/agent/${agentId}/events`, {
      headers: { authorization: `Bearer ${roost.apiKey}` },
      signal: gone.signal,
    });
    await until('where it begins is asked', () => asked > before);
    gone.abort();
    await expect(stream).rejects.toThrow();
    await sleep(200); // until the gateway sees it, too
    answer();
    const last = await follow();
    await until('the next one listens', hasListener);
    await last.stop();
    await until('and nobody else', async () => !(await hasListener()));
  });

  describe('while a turn speaks', () => {
    const [turnId, other] = [eventId(70), `msg_${eventId(71)}`];
    const delta = (seq: number, text = `<${seq}>`): LiveEvent => ({
      ...{ type: 'text.delta', agentId, turnId, messageId: other, seq, text },
    });
    const say = (...events: LiveEvent[]) => {
      for (const { agentId: agent_id, turnId: turn_id, messageId: message_id, ...rest } of events)
        nats.publish(liveSubject(agentId), JSON.stringify({ agent_id, turn_id, message_id, ...rest }));
    };
    const begin = (n: number) =>
      happen(n, 'events.messaging.turn.started', { turn_id: turnId, message_ids: [messageId, other] });
    const textOf = ({ seen }: { seen: { text: string } }) =>
      [...seen.text.matchAll(/"text":"([^"]*)"/g)].map(([, text]) => text).join('');
    /** What its worker answers when it is asked what it said, call by call; the last again and again. */
    let replays: (LiveEvent[] | Promise<LiveEvent[]>)[] = [];
    let worker: { unsubscribe(): void };
    let askedFor: number[] = [];

    beforeEach(async () => {
      askedFor = [];
      stored.splice(1);
      worker = serve(
        nats,
        replayLive,
        subjectOf(replayLive, { agentId }),
        async ({ afterSeq }) => {
          askedFor.push(afterSeq);
          const events = await ((replays.length > 1 ? replays.shift() : replays[0]) ?? []);
          return { events };
        },
        (error) => console.error(error),
      );
      await nats.flush();
    });
    afterEach(() => worker.unsubscribe());

    it('sends what the bus lost of it in its place, and asks once where it is gone', async () => {
      replays = [[], [delta(1)], []];
      const reader = await follow({ 'last-event-id': eventId(1) });
      begin(2);
      await until('the turn began', () => reader.seen.text.includes('event: turn.started'));
      say(delta(0));
      await until('it speaks', () => textOf(reader) === '<0>');
      say(delta(2), delta(3));
      await until('what was lost is there', () => textOf(reader) === '<0><1><2><3>');
      say(delta(5), delta(6), delta(7));
      await until('it goes on', () => textOf(reader) === '<0><1><2><3><5><6><7>');
      expect(askedFor).toEqual([-1, 0, 3]);
      await reader.stop();
    });

    it('sends what it said before the reader came, also when its worker was slow to say it', async () => {
      replays = [new Promise(() => undefined), [delta(2, 'all of it')]];
      const reader = await follow({ 'last-event-id': eventId(1) });
      begin(2);
      await until('the turn began', () => reader.seen.text.includes('event: turn.started'));
      say(delta(3));
      await until('all is there', () => textOf(reader) === 'all of it<3>');
      await reader.stop();
    });

    it('sends it to a reader who came in the middle', async () => {
      replays = [[delta(2, 'all of it')]];
      begin(2);
      const reader = await follow();
      await until('it is there', () => textOf(reader) === 'all of it');
      say(delta(3));
      await until('it goes on', () => textOf(reader) === 'all of it<3>');
      await reader.stop();
    });

    it('sends it before its end, also when start and end are read at once', async () => {
      replays = [[]];
      const reader = await follow({ 'last-event-id': eventId(1) });
      await until('its worker was asked', () => askedFor.length === 1);
      let answer: () => void = () => undefined;
      held = new Promise((resolve) => (answer = resolve));
      const before = asked;
      say(delta(0), delta(1));
      await until('its start is looked for', () => asked > before);
      begin(2);
      happen(3, 'events.messaging.message.completed', { turn_id: turnId, message_ids: [messageId, other] });
      answer();
      await until('its end is there', () => reader.seen.text.includes('event: message.completed'));
      expect(textOf(reader)).toBe('<0><1>');
      // Who goes on from there has not seen the end.
      expect(reader.seen.text).toContain(`id: ${eventId(2)}/${turnId}:1`);
      expect(reader.seen.text.indexOf('<1>')).toBeLessThan(reader.seen.text.indexOf('event: message.completed'));
      await reader.stop();
    });

    it('sends it to a reader of one message when it begins while its worker is asked', async () => {
      let answer: (events: LiveEvent[]) => void = () => undefined;
      replays = [new Promise<LiveEvent[]>((resolve) => (answer = resolve))];
      const reader = await follow({ 'last-event-id': eventId(1) }, `?message_id=${messageId}`);
      await until('its worker is asked', () => askedFor.length === 1);
      begin(2);
      say(delta(0), delta(1));
      await nats.flush();
      answer([delta(1, 'both of them')]);
      await until('it is there', () => textOf(reader) === 'both of them');
      expect(reader.seen.text.indexOf('turn.started')).toBeLessThan(reader.seen.text.indexOf('text.delta'));
      await reader.stop();
    });
  });

  it('is cut when more of a turn waits for what came before it than a reader may have in memory', async () => {
    held = new Promise(() => undefined);
    const reader = await follow({ 'last-event-id': eventId(1) });
    await until('it listens', hasListener);
    const live = (seq: number) => ({
      ...{ type: 'text.delta', agent_id: agentId, turn_id: eventId(61), message_id: messageId },
      ...{ seq, text: 'x'.repeat(64 * 1024) },
    });
    for (let seq = 0; seq < 20; seq += 1) nats.publish(liveSubject(agentId), JSON.stringify(live(seq)));
    await until('it is told to come back', () => reader.seen.text.includes('event: stream.cut'));
    expect(reader.seen.text.length).toBeLessThan(2_000);
    await reader.stop();
  });
});
