import { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import {
  completeTurn,
  countMessages,
  failTurn,
  getMessage,
  heartbeatTurn,
  interruptedTurn,
  listAgentEvents,
  listConversations,
  listMessages,
  markMessageRead,
  postMessage,
  recentTexts,
  recordedSubject,
  type RoostError,
  sendMessage,
  syncAgent,
} from '#lib/contracts';
import { newId } from '#lib/database';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceOf, type MessagingFixture, messagingFixture, recentBefore, usage } from '../test/messaging-fixture.js';

describe('messaging', () => {
  let fixture: MessagingFixture;
  let bus: Bus;
  let accountId: string;

  beforeAll(async () => {
    fixture = await messagingFixture();
    ({ bus, accountId } = fixture);
  });
  afterAll(() => fixture.stop());

  it('records what no service acts on for event streams, and publishes nothing of it', async () => {
    const agentId = await fixture.agent();
    const published: string[] = [];
    let hints = 0;
    const subscriptions = [
      bus.connection.subscribe('events.messaging.>', { callback: (_, { subject }) => void published.push(subject) }),
      bus.connection.subscribe(recordedSubject(agentId), { callback: () => void hints++ }),
    ];
    await bus.connection.flush();
    await fixture.send(agentId, 'hello');
    const turn = await fixture.claim();
    await until('both are hinted at', () => hints === 2);
    await bus.request(completeTurn, { ...fenceOf(turn), replies: ['hi'], usage }, ownCall('c'));
    await until('the end is published', () => published.includes('events.messaging.message.completed'));
    for (const subscription of subscriptions) subscription.unsubscribe();
    expect(published).not.toContain('events.messaging.message.created');
    expect(published).not.toContain('events.messaging.turn.started');
    const { events } = await bus.request(listAgentEvents, { agentId, fromStart: true, limit: 10 }, fixture.account());
    expect(events.map(({ subject }) => subject.replace('events.messaging.', ''))).toEqual([
      'message.created',
      'turn.started',
      'message.completed',
    ]);
  });

  it('hands over a batch in order and answers it once, however often that is reported', async () => {
    const agentId = await fixture.agent();
    const first = await fixture.send(agentId, 'a');
    const second = await fixture.send(agentId, 'b');
    const turn = await fixture.claim();
    expect(turn.messages.map(({ content }) => content)).toEqual(['a', 'b']);
    const waited = bus.request(getMessage, { agentId, messageId: first.id, waitSeconds: 10 }, fixture.account());
    const report = { ...fenceOf(turn), replies: ['hello'], usage };
    const { replyIds } = await bus.request(completeTurn, report, ownCall('d'));
    expect(await bus.request(completeTurn, report, ownCall('e'))).toEqual({ replyIds });
    expect((await waited).replies.map(({ content }) => content)).toEqual(['hello']);
    const { messages } = await bus.request(listMessages, { agentId, limit: 50 }, fixture.account());
    expect(messages.map(({ id, status }) => [id, status])).toEqual([
      [first.id, 'read'],
      [second.id, 'read'],
      [replyIds[0], 'delivered'],
    ]);
    const { conversations } = await bus.request(listConversations, { agentId, page: 1, limit: 20 }, fixture.account());
    expect(conversations).toMatchObject([{ id: 'default', messageCount: 3, unreadCount: 1 }]);
    const { lastEventId } = await bus.request(listAgentEvents, { agentId, limit: 10 }, fixture.account());
    expect(lastEventId).not.toBeNull();
  });

  it('gives the turn of a silent worker to another and refuses the late report', async () => {
    const agentId = await fixture.agent();
    await fixture.send(agentId, 'a');
    const lost = await fixture.claim();
    await bus.request(heartbeatTurn, { ...fenceOf(lost), partialReply: 'half' }, ownCall('h'));
    await fixture.lose(lost);
    const next = await fixture.claim();
    expect(next).toMatchObject({ agentId, attempt: 2, partialReply: 'half' });
    const late = bus.request(completeTurn, { ...fenceOf(lost), replies: ['x'], usage }, ownCall('l'));
    await expect(late).rejects.toMatchObject({ code: 'CONFLICT' });
    await bus.request(completeTurn, { ...fenceOf(next), replies: ['y'], usage }, ownCall('m'));
  });

  it('notifies the running turn of an interrupt and runs the new message next', async () => {
    const agentId = await fixture.agent();
    await fixture.send(agentId, 'book');
    const running = await fixture.claim();
    await fixture.send(agentId, 'stop', { queueMode: 'interrupt' });
    expect(await bus.request(heartbeatTurn, fenceOf(running), ownCall('h'))).toMatchObject({ cancelled: true });
    await bus.request(interruptedTurn, { ...fenceOf(running), partialReply: 'Once', usage }, ownCall('i'));
    const { events } = await bus.request(listAgentEvents, { agentId, fromStart: true, limit: 10 }, fixture.account());
    expect(events.find(({ subject }) => subject.endsWith('.turn.interrupted'))?.payload).toMatchObject({
      conversation_id: 'default',
    });
    const next = await fixture.claim();
    expect(next.messages.map(({ content }) => content)).toEqual(['stop']);
    await bus.request(completeTurn, { ...fenceOf(next), replies: ['ok'], usage }, ownCall('d'));
  });

  it('tries a passing failure five times, then gives the message the error', async () => {
    const agentId = await fixture.agent();
    const { id } = await fixture.send(agentId, 'a');
    const error = { code: 'PROVIDER', message: 'overloaded' };
    for (let attempt = 1; attempt <= 5; attempt++) {
      const turn = await fixture.claim();
      expect(turn.attempt).toBe(attempt);
      const failed = { ...fenceOf(turn), error, retryable: true, partialReply: '' };
      expect(await bus.request(failTurn, failed, ownCall('f'))).toEqual({ willRetry: attempt < 5 });
    }
    const { message } = await bus.request(getMessage, { agentId, messageId: id, waitSeconds: 0 }, fixture.account());
    expect(message).toMatchObject({ status: 'read', error });
  });

  it('queues for a paused agent and refuses for a stopped one and one in error', async () => {
    const agentId = await fixture.agent();
    await bus.request(syncAgent, { agentId, accountId, status: 'paused', revision: 2 });
    await fixture.send(agentId, 'a');
    await bus.request(syncAgent, { agentId, accountId, status: 'stopped', revision: 3 });
    await expect(fixture.send(agentId, 'b')).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    await bus.request(syncAgent, { agentId, accountId, status: 'error', revision: 4 });
    await expect(fixture.send(agentId, 'c')).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
  });

  it.each(['stopped', 'error'] as const)(
    'answers a repeated message as the first time when its agent is %s',
    async (status) => {
      const agentId = await fixture.agent();
      const first = await fixture.send(agentId, 'a', { dedupeKey: 'known' });
      await bus.request(syncAgent, { agentId, accountId, status, revision: 2 });
      expect(await fixture.send(agentId, 'a', { dedupeKey: 'known' })).toEqual(first);
      await expect(fixture.send(agentId, 'b', { dedupeKey: 'new' })).rejects.toMatchObject({
        code: 'AGENT_UNAVAILABLE',
      });
    },
  );

  it('knows nothing of an agent when another account asks, whatever it asks', async () => {
    const agentId = await fixture.agent();
    const { id: messageId } = await fixture.send(agentId, 'a');
    const turn = await fixture.claim();
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
    const { messages } = await bus.request(listMessages, { agentId, limit: 50 }, fixture.account());
    expect(messages.map(({ id, status }) => [id, status])).toEqual([
      [messageId, 'read'],
      [replyId, 'delivered'],
    ]);
  });

  it('shows at /metrics what waits, what runs and whose worker fell silent', async () => {
    const metrics = async () => {
      const text = await (await fetch(fixture.service.metricsUrl ?? '')).text();
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
    const agentId = await fixture.agent();
    const before = await metrics();
    await fixture.send(agentId, 'a');
    const turn = await fixture.claim();
    await fixture.send(agentId, 'b');
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
});
