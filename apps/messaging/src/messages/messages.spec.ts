import { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import {
  completeTurn,
  deliveryFailed,
  listAgentEvents,
  listConversations,
  listMessages,
  messageFailed,
  postMessage,
  recentTexts,
  syncAgent,
} from '#lib/contracts';
import { newId } from '#lib/database';
import { publishEvent, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceOf, type MessagingFixture, messagingFixture, recentBefore, usage } from '../../test/messaging-fixture.js';

describe('messages', () => {
  let fixture: MessagingFixture;
  let bus: Bus;
  let accountId: string;

  beforeAll(async () => {
    fixture = await messagingFixture();
    ({ bus, accountId } = fixture);
  });
  afterAll(() => fixture.stop());

  it('gives a conversation’s latest texts before a message, as many as asked for and as fit', async () => {
    const agentId = await fixture.agent();
    await bus.request(syncAgent, { agentId, accountId, status: 'paused', revision: 2 });
    const sent = [];
    for (const content of ['first', 'second', 'third', 'fourth']) sent.push(await fixture.send(agentId, content));
    await fixture.send(agentId, 'elsewhere', { conversationId: 'other' });
    const [first, , , fourth] = sent;
    const recent = async (limits: object) => {
      const query = { ...recentBefore(agentId, fourth?.id ?? ''), ...limits };
      return (await bus.request(recentTexts, query, fixture.account())).texts.map(({ content }) => content);
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
    const agentId = await fixture.agent();
    const answer = async (reply: string, meanwhile: string[] = []) => {
      const turn = await fixture.claim();
      for (const content of meanwhile) await fixture.send(agentId, content);
      await bus.request(completeTurn, { ...fenceOf(turn), replies: [reply], usage }, ownCall('c'));
    };
    await fixture.send(agentId, 'one');
    await answer('one is done', ['two', 'three']);
    await answer('two and three are done', ['four']);
    const last = await fixture.claim();
    const { messages } = last;
    expect(messages.map(({ content }) => content)).toEqual(['four']);
    const query = recentBefore(agentId, messages[0]?.id ?? '');
    const recent = async (limits: object = {}) =>
      (await bus.request(recentTexts, { ...query, ...limits }, fixture.account())).texts.map(({ content }) => content);
    const all = ['one', 'one is done', 'two', 'three', 'two and three are done'];
    expect(await recent()).toEqual(all);
    expect(await recent({ limit: 3 })).toEqual(all.slice(-3));
    await bus.request(completeTurn, { ...fenceOf(last), replies: ['four, too'], usage }, ownCall('c'));
  });

  it('gives what is large in pages that fit the bus, each message and event once', async () => {
    const agentId = await fixture.agent();
    await bus.request(syncAgent, { agentId, accountId, status: 'paused', revision: 2 });
    const numbers = Array.from({ length: 45 }, (_, n) => String(n));
    await Promise.all(numbers.map((n) => fixture.send(agentId, `${n} ${'x'.repeat(99_000)}`, { conversationId: n })));
    const numberOf = (content: string) => content.split(' ')[0] ?? '';
    const inOrder = (contents: string[]) => [...contents].sort((a, b) => Number(a) - Number(b));
    const events: string[] = [];
    for (let afterEventId: string | undefined; ;) {
      const page = await bus.request(
        listAgentEvents,
        { agentId, fromStart: true, limit: 200, ...(afterEventId ? { afterEventId } : {}) },
        fixture.account(),
      );
      for (const { payload } of page.events) events.push(/"content":"(\d+) /.exec(JSON.stringify(payload))?.[1] ?? '');
      expect(page.events.length).toBeLessThanOrEqual(5);
      afterEventId = page.events.at(-1)?.id;
      if (!page.hasMore) break;
    }
    expect(inOrder(events)).toEqual(numbers);
    const listed: string[] = [];
    for (let before: string | undefined; ;) {
      const page = await bus.request(
        listMessages,
        { agentId, limit: 100, ...(before ? { before } : {}) },
        fixture.account(),
      );
      listed.unshift(...page.messages.map(({ content }) => numberOf(content)));
      before = page.messages[0]?.id;
      if (!page.hasMore) break;
    }
    expect(listed).toEqual(events);
  });

  it('records what an agent says by itself once, in a conversation that it has or is given', async () => {
    const agentId = await fixture.agent();
    await fixture.send(agentId, 'hi', { conversationId: 'known' });
    const post = (conversationId: string, more: object = {}) =>
      bus.request(postMessage, { agentId, conversationId, content: 'news', ...more }, fixture.account());
    const first = await post('known', { dedupeKey: 'once' });
    expect(first).toMatchObject({ role: 'assistant', status: 'delivered', channel: 'api', conversationId: 'known' });
    expect(await post('known', { dedupeKey: 'once' })).toEqual(first);
    await expect(post('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const made = await post('telegram:bot:7', {
      channel: 'telegram',
      counterparty: { id: '7', displayName: 'Ada' },
    });
    expect(made.channel).toBe('telegram');
    const { conversations } = await bus.request(listConversations, { agentId, page: 1, limit: 20 }, fixture.account());
    expect(conversations.map(({ id, messageCount, unreadCount }) => [id, messageCount, unreadCount])).toEqual([
      ['telegram:bot:7', 1, 1],
      ['known', 2, 1],
    ]);
    const other = { ...fixture.account(), accountId: newId() };
    await expect(
      bus.request(postMessage, { agentId, conversationId: 'known', content: 'x' }, other),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('marks a reply that its chat platform will not show as failed, and reports it once', async () => {
    const agentId = await fixture.agent();
    await fixture.send(agentId, 'hi', { conversationId: 'known' });
    const post = (content: string) =>
      bus.request(postMessage, { agentId, conversationId: 'known', content }, fixture.account());
    const [lost, other] = [await post('lost'), await post('shown')];
    const failed = {
      accountId: fixture.account().accountId,
      agentId,
      platform: 'telegram' as const,
      messageIds: [lost.id],
      reason: 'Forbidden: bot was blocked by the user',
      occurredAt: new Date(),
    };
    const of = async (id: string) => {
      const { messages } = await bus.request(listMessages, { agentId, limit: 50 }, fixture.account());
      return messages.find((message) => message.id === id);
    };
    // Another account's word changes nothing.
    await publishEvent(bus.connection, deliveryFailed, { ...failed, accountId: newId(), messageIds: [other.id] });
    for (let n = 0; n < 2; n++) await publishEvent(bus.connection, deliveryFailed, failed);
    const reported = async () => {
      const { events } = await bus.request(
        listAgentEvents,
        { agentId, fromStart: true, limit: 100 },
        fixture.account(),
      );
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
