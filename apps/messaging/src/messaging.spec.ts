import { Bus, type RunningService } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import {
  claimTurn,
  completeTurn,
  countMessages,
  deliveryFailed,
  failTurn,
  getMessage,
  heartbeatTurn,
  interruptedTurn,
  listAgentEvents,
  listConversations,
  listMessages,
  markMessageRead,
  messageFailed,
  postMessage,
  recentTexts,
  recordedSubject,
  type RoostError,
  sendMessage,
  syncAgent,
} from '#lib/contracts';
import { newId } from '#lib/database';
import { freshBus, freshDatabase, publishEvent, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start } from './main.js';

const accountId = newId();
const usage = { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 };

const recentBefore = (agentId: string, before: string) => ({
  agentId,
  conversationId: 'default',
  before,
  since: null,
  limit: 20,
  maxChars: 1_000,
});

describe('messaging', () => {
  let service: RunningService;
  let bus: Bus;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const [database, nats] = await Promise.all([freshDatabase(), freshBus('messaging')]);
    service = await start({
      DATABASE_URL: database.url,
      NATS_URL: nats.url,
      NATS_CREDS: nats.serviceCreds,
      ROOST_LEASE_MS: '1000',
      ROOST_RETRY_BASE_MS: '1',
      ROOST_METRICS_PORT: '0',
    });
    bus = new Bus(await nats.connect(), 'test');
    stop = async () => {
      await service.stop();
      await bus.connection.close();
      nats.release();
      await database.drop();
    };
  });
  afterAll(() => stop());

  const account = () => ({ ...ownCall('req_test'), accountId });
  const agent = async () => {
    const agentId = newId();
    await bus.request(syncAgent, { agentId, accountId, status: 'active', revision: 1 });
    return agentId;
  };
  const say = (agentId: string, content: string, more: object = {}) =>
    bus.request(
      sendMessage,
      { agentId, content, metadata: {}, channel: 'api', queueMode: 'collect', conversationId: 'default', ...more },
      account(),
    );
  const claim = () =>
    until(
      'a turn is claimed',
      async () => (await bus.request(claimTurn, { workerId: 'w' }, ownCall('c'))).turn ?? false,
    );
  const fenceOf = ({ turnId, fencingToken }: { turnId: string; fencingToken: number }) => ({ turnId, fencingToken });

  it('records what no service acts on for event streams, and publishes nothing of it', async () => {
    const agentId = await agent();
    const published: string[] = [];
    let hints = 0;
    const subscriptions = [
      bus.connection.subscribe('events.messaging.>', { callback: (_, { subject }) => void published.push(subject) }),
      bus.connection.subscribe(recordedSubject(agentId), { callback: () => void hints++ }),
    ];
    await bus.connection.flush();
    await say(agentId, 'hello');
    const turn = await claim();
    await until('both are hinted at', () => hints === 2);
    await bus.request(completeTurn, { ...fenceOf(turn), replies: ['hi'], usage }, ownCall('c'));
    await until('the end is published', () => published.includes('events.messaging.message.completed'));
    for (const subscription of subscriptions) subscription.unsubscribe();
    expect(published).not.toContain('events.messaging.message.created');
    expect(published).not.toContain('events.messaging.turn.started');
    const { events } = await bus.request(listAgentEvents, { agentId, fromStart: true, limit: 10 }, account());
    expect(events.map(({ subject }) => subject.replace('events.messaging.', ''))).toEqual([
      'message.created',
      'turn.started',
      'message.completed',
    ]);
  });

  it('hands over a batch in order and answers it once, however often that is reported', async () => {
    const agentId = await agent();
    const first = await say(agentId, 'a');
    const second = await say(agentId, 'b');
    const turn = await claim();
    expect(turn.messages.map(({ content }) => content)).toEqual(['a', 'b']);
    const waited = bus.request(getMessage, { agentId, messageId: first.id, waitSeconds: 10 }, account());
    const report = { ...fenceOf(turn), replies: ['hello'], usage };
    const { replyIds } = await bus.request(completeTurn, report, ownCall('d'));
    expect(await bus.request(completeTurn, report, ownCall('e'))).toEqual({ replyIds });
    expect((await waited).replies.map(({ content }) => content)).toEqual(['hello']);
    const { messages } = await bus.request(listMessages, { agentId, limit: 50 }, account());
    expect(messages.map(({ id, status }) => [id, status])).toEqual([
      [first.id, 'read'],
      [second.id, 'read'],
      [replyIds[0], 'delivered'],
    ]);
    const { conversations } = await bus.request(listConversations, { agentId, page: 1, limit: 20 }, account());
    expect(conversations).toMatchObject([{ id: 'default', messageCount: 3, unreadCount: 1 }]);
    const { lastEventId } = await bus.request(listAgentEvents, { agentId, limit: 10 }, account());
    expect(lastEventId).not.toBeNull();
  });

  it('gives the turn of a silent worker to another and refuses the late report', async () => {
    const agentId = await agent();
    await say(agentId, 'a');
    const lost = await claim();
    await bus.request(heartbeatTurn, { ...fenceOf(lost), partialReply: 'half' }, ownCall('h'));
    const next = await claim();
    expect(next).toMatchObject({ agentId, attempt: 2, partialReply: 'half' });
    const late = bus.request(completeTurn, { ...fenceOf(lost), replies: ['x'], usage }, ownCall('l'));
    await expect(late).rejects.toMatchObject({ code: 'CONFLICT' });
    await bus.request(completeTurn, { ...fenceOf(next), replies: ['y'], usage }, ownCall('m'));
  });

  it('notifies the running turn of an interrupt and runs the new message next', async () => {
    const agentId = await agent();
    await say(agentId, 'book');
    const running = await claim();
    await say(agentId, 'stop', { queueMode: 'interrupt' });
    expect(await bus.request(heartbeatTurn, fenceOf(running), ownCall('h'))).toMatchObject({ cancelled: true });
    await bus.request(interruptedTurn, { ...fenceOf(running), partialReply: 'Once', usage }, ownCall('i'));
    const next = await claim();
    expect(next.messages.map(({ content }) => content)).toEqual(['stop']);
    await bus.request(completeTurn, { ...fenceOf(next), replies: ['ok'], usage }, ownCall('d'));
  });

  it('tries a passing failure five times, then gives the message the error', async () => {
    const agentId = await agent();
    const { id } = await say(agentId, 'a');
    const error = { code: 'PROVIDER', message: 'overloaded' };
    for (let attempt = 1; attempt <= 5; attempt++) {
      const turn = await claim();
      expect(turn.attempt).toBe(attempt);
      const failed = { ...fenceOf(turn), error, retryable: true, partialReply: '' };
      expect(await bus.request(failTurn, failed, ownCall('f'))).toEqual({ willRetry: attempt < 5 });
    }
    const { message } = await bus.request(getMessage, { agentId, messageId: id, waitSeconds: 0 }, account());
    expect(message).toMatchObject({ status: 'read', error });
  });

  it('queues for a paused agent and refuses for a stopped one and one in error', async () => {
    const agentId = await agent();
    await bus.request(syncAgent, { agentId, accountId, status: 'paused', revision: 2 });
    await say(agentId, 'a');
    await bus.request(syncAgent, { agentId, accountId, status: 'stopped', revision: 3 });
    await expect(say(agentId, 'b')).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    await bus.request(syncAgent, { agentId, accountId, status: 'error', revision: 4 });
    await expect(say(agentId, 'c')).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
  });

  it('knows nothing of an agent when another account asks, whatever it asks', async () => {
    const agentId = await agent();
    const { id: messageId } = await say(agentId, 'a');
    const turn = await claim();
    const report = { ...fenceOf(turn), replies: ['r'], usage };
    const [replyId = ''] = (await bus.request(completeTurn, report, ownCall('d'))).replyIds;
    const stranger = { ...ownCall('req_stranger'), accountId: newId() };
    const asked = {
      send: () =>
        bus.request(
          sendMessage,
          { agentId, content: 'x', metadata: {}, channel: 'api', queueMode: 'collect', conversationId: 'default' },
          stranger,
        ),
      interrupt: () =>
        bus.request(
          sendMessage,
          { agentId, content: 'x', metadata: {}, channel: 'api', queueMode: 'interrupt', conversationId: 'default' },
          stranger,
        ),
      post: () => bus.request(postMessage, { agentId, conversationId: 'default', content: 'x' }, stranger),
      list: () => bus.request(listMessages, { agentId, limit: 50 }, stranger),
      'list from a cursor': () => bus.request(listMessages, { agentId, limit: 50, after: messageId }, stranger),
      get: () => bus.request(getMessage, { agentId, messageId, waitSeconds: 0 }, stranger),
      'mark read': () => bus.request(markMessageRead, { agentId, messageId: replyId }, stranger),
      conversations: () => bus.request(listConversations, { agentId, page: 1, limit: 20 }, stranger),
      events: () => bus.request(listAgentEvents, { agentId, limit: 10, fromStart: true }, stranger),
    };
    for (const [what, ask] of Object.entries(asked)) {
      const code = await ask().then(
        () => 'answered',
        (error: RoostError) => error.code,
      );
      expect([what, code]).toEqual([what, 'NOT_FOUND']);
    }
    expect(await bus.request(countMessages, { agentIds: [agentId] }, stranger)).toEqual({ counts: {} });
    expect(await bus.request(recentTexts, recentBefore(agentId, replyId), stranger)).toEqual({ texts: [] });
    const { messages } = await bus.request(listMessages, { agentId, limit: 50 }, account());
    expect(messages.map(({ id, status }) => [id, status])).toEqual([
      [messageId, 'read'],
      [replyId, 'delivered'],
    ]);
  });

  it('gives a conversation’s latest texts before a message, as many as asked for and as fit', async () => {
    const agentId = await agent();
    await bus.request(syncAgent, { agentId, accountId, status: 'paused', revision: 2 });
    const said = [];
    for (const content of ['first', 'second', 'third', 'fourth']) said.push(await say(agentId, content));
    await say(agentId, 'elsewhere', { conversationId: 'other' });
    const [first, , , fourth] = said;
    const recent = async (limits: object) => {
      const query = { ...recentBefore(agentId, fourth?.id ?? ''), ...limits };
      return (await bus.request(recentTexts, query, account())).texts.map(({ content }) => content);
    };
    expect(await recent({})).toEqual(['first', 'second', 'third']);
    expect(await recent({ limit: 2 })).toEqual(['second', 'third']);
    expect(await recent({ maxChars: 'secondthird'.length })).toEqual(['second', 'third']);
    expect(await recent({ maxChars: 'secondthird'.length - 1 })).toEqual(['third']);
    expect(await recent({ since: first?.createdAt })).toEqual(['first', 'second', 'third']);
    expect(await recent({ since: new Date(Date.now() + 60_000) })).toEqual([]);
    expect(await recent({ before: `msg_${newId()}` })).toEqual([]);
  });

  it('gives a reply before what came while it was made', async () => {
    const agentId = await agent();
    const answer = async (reply: string, meanwhile: string[] = []) => {
      const turn = await claim();
      for (const content of meanwhile) await say(agentId, content);
      await bus.request(completeTurn, { ...fenceOf(turn), replies: [reply], usage }, ownCall('c'));
    };
    await say(agentId, 'one');
    await answer('one is done', ['two', 'three']);
    await answer('two and three are done', ['four']);
    const last = await claim();
    const { messages } = last;
    expect(messages.map(({ content }) => content)).toEqual(['four']);
    const query = recentBefore(agentId, messages[0]?.id ?? '');
    const recent = async (limits: object = {}) =>
      (await bus.request(recentTexts, { ...query, ...limits }, account())).texts.map(({ content }) => content);
    const all = ['one', 'one is done', 'two', 'three', 'two and three are done'];
    expect(await recent()).toEqual(all);
    expect(await recent({ limit: 3 })).toEqual(all.slice(-3));
    await bus.request(completeTurn, { ...fenceOf(last), replies: ['four, too'], usage }, ownCall('c'));
  });

  it('gives what is large in pages that fit the bus, each message and event once', async () => {
    const agentId = await agent();
    await bus.request(syncAgent, { agentId, accountId, status: 'paused', revision: 2 });
    const numbers = Array.from({ length: 45 }, (_, n) => String(n));
    await Promise.all(numbers.map((n) => say(agentId, `${n} ${'x'.repeat(99_000)}`, { conversationId: n })));
    const numberOf = (content: string) => content.split(' ')[0] ?? '';
    const inOrder = (told: string[]) => [...told].sort((a, b) => Number(a) - Number(b));
    const events: string[] = [];
    for (let afterEventId: string | undefined; ;) {
      const page = await bus.request(
        listAgentEvents,
        { agentId, fromStart: true, limit: 200, ...(afterEventId ? { afterEventId } : {}) },
        account(),
      );
      for (const { payload } of page.events) events.push(/"content":"(\d+) /.exec(JSON.stringify(payload))?.[1] ?? '');
      expect(page.events.length).toBeLessThanOrEqual(5);
      afterEventId = page.events.at(-1)?.id;
      if (!page.hasMore) break;
    }
    expect(inOrder(events)).toEqual(numbers);
    const listed: string[] = [];
    for (let before: string | undefined; ;) {
      const page = await bus.request(listMessages, { agentId, limit: 100, ...(before ? { before } : {}) }, account());
      listed.unshift(...page.messages.map(({ content }) => numberOf(content)));
      before = page.messages[0]?.id;
      if (!page.hasMore) break;
    }
    expect(listed).toEqual(events);
  });

  it('shows at /metrics what waits, what runs and whose worker fell silent', async () => {
    const metrics = async () => {
      const text = await (await fetch(service.metricsUrl ?? '')).text();
      const valueOf = (name: string) =>
        Number(new RegExp(`^${name}\\{service="messaging"\\} (\\S+)$`, 'm').exec(text)?.[1]);
      return {
        pending: valueOf('roost_messages_pending'),
        running: valueOf('roost_turns_running'),
        expired: valueOf('roost_turns_lease_expired'),
        backlog: valueOf('roost_outbox_backlog'),
        oldest: valueOf('roost_outbox_oldest_age_seconds'),
      };
    };
    const agentId = await agent();
    const before = await metrics();
    await say(agentId, 'a');
    const turn = await claim();
    await say(agentId, 'b');
    const during = await metrics();
    expect(during).toMatchObject({ pending: before.pending + 1, running: before.running + 1 });
    expect(during.expired).toBeGreaterThanOrEqual(0);
    await bus.request(completeTurn, { ...fenceOf(turn), replies: ['r'], usage }, ownCall('d'));
    await until('the relay has caught up', async () => {
      const { backlog, oldest } = await metrics();
      return backlog === 0 && oldest === 0;
    });
    expect((await metrics()).running).toBe(before.running);
  });

  it('records what an agent says by itself once, in a conversation that it has or is given', async () => {
    const agentId = await agent();
    await say(agentId, 'hi', { conversationId: 'known' });
    const post = (conversationId: string, more: object = {}) =>
      bus.request(postMessage, { agentId, conversationId, content: 'news', ...more }, account());
    const first = await post('known', { dedupeKey: 'once' });
    expect(first).toMatchObject({ role: 'assistant', status: 'delivered', channel: 'api', conversationId: 'known' });
    expect(await post('known', { dedupeKey: 'once' })).toEqual(first);
    await expect(post('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const made = await post('telegram:bot:7', {
      channel: 'telegram',
      counterparty: { id: '7', displayName: 'Ada' },
    });
    expect(made.channel).toBe('telegram');
    const { conversations } = await bus.request(listConversations, { agentId, page: 1, limit: 20 }, account());
    expect(conversations.map(({ id, messageCount, unreadCount }) => [id, messageCount, unreadCount])).toEqual([
      ['telegram:bot:7', 1, 1],
      ['known', 2, 1],
    ]);
    const other = { ...account(), accountId: newId() };
    await expect(
      bus.request(postMessage, { agentId, conversationId: 'known', content: 'x' }, other),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('marks a reply that its chat platform will not show as failed, and reports it once', async () => {
    const agentId = await agent();
    await say(agentId, 'hi', { conversationId: 'known' });
    const post = (content: string) =>
      bus.request(postMessage, { agentId, conversationId: 'known', content }, account());
    const [lost, other] = [await post('lost'), await post('shown')];
    const failed = {
      accountId: account().accountId,
      agentId,
      platform: 'telegram' as const,
      messageIds: [lost.id],
      reason: 'Forbidden: bot was blocked by the user',
      occurredAt: new Date(),
    };
    const of = async (id: string) => {
      const { messages } = await bus.request(listMessages, { agentId, limit: 50 }, account());
      return messages.find((message) => message.id === id);
    };
    // Another account's word changes nothing.
    await publishEvent(bus.connection, deliveryFailed, { ...failed, accountId: newId(), messageIds: [other.id] });
    for (let n = 0; n < 2; n++) await publishEvent(bus.connection, deliveryFailed, failed);
    const reported = async () => {
      const { events } = await bus.request(listAgentEvents, { agentId, fromStart: true, limit: 100 }, account());
      return events.filter(({ subject }) => subject === messageFailed.subject);
    };
    await until('it is reported', async () => (await reported()).length > 0);
    expect(await of(lost.id)).toMatchObject({
      status: 'failed',
      error: { code: 'DELIVERY_FAILED', message: 'telegram: Forbidden: bot was blocked by the user' },
    });
    expect(await of(other.id)).toMatchObject({ status: 'delivered', error: null });
    await publishEvent(bus.connection, deliveryFailed, { ...failed, messageIds: [other.id] });
    await until('the last is reported', async () => (await reported()).length >= 2);
    expect(await reported()).toHaveLength(2);
  });
});
