import { Bus, type RunningService } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { serve } from '#lib/rpc';
import {
  createLinkCode,
  getAgent,
  getChannelStatus,
  listAgentBots,
  listChannels,
  liveSubject,
  messageCompleted,
  perPlatform,
  sendMessage,
} from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { freePort, freshBus, freshDatabase, until, publishEvent } from '#lib/testing';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TelegramServer } from 'telegram-test-api/lib/telegramServer.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { start } from './main.js';
import { migrations } from './migrations/index.js';
import { Retention } from './outbound/retention.js';

const TOKEN = '4242:testtoken';
const accountId = newId();
const agentId = newId();
const otherId = newId();

type Sent = z.output<typeof sendMessage.input>;
type Completed = z.output<typeof messageCompleted.payload>;

describe('Telegram, through telegraf and a server that speaks the Bot API', () => {
  let telegram: TelegramServer;
  let nats: Awaited<ReturnType<typeof freshBus>>;
  let postgres: Awaited<ReturnType<typeof freshDatabase>>;
  let bus: Bus;
  let rows: Database;
  const replicas: RunningService[] = [];
  const sent: (Sent & { id: string })[] = [];

  const environment = () => ({
    NATS_URL: nats.url,
    NATS_CREDS: nats.serviceCreds,
    DATABASE_URL: postgres.url,
    DATABASE_POOL_SIZE: '4',
    TELEGRAM_API_BASE_URL: telegram.config.apiURL,
  });
  const startReplica = async () => {
    const service = await start(environment());
    replicas.push(service);
    return service;
  };
  const call = () => ({ ...ownCall('req_test'), accountId });
  const client = (userId = 7) =>
    telegram.getClient(TOKEN, { userId, chatId: userId, userName: `user${userId}`, firstName: 'Ann' });
  const say = (text: string, userId = 7) => {
    const person = client(userId);
    return person.sendMessage(person.makeMessage(text));
  };
  const shown = (chat = 7) =>
    telegram.storage.botMessages.filter((m) => String(m.message.chat_id) === String(chat)).map((m) => m.message.text);
  /** As messaging would: the event that a turn is answered, from another service's outbox. */
  const complete = (message: Sent & { id: string }, turnId: string, reply: string) => {
    const base = {
      metadata: {},
      status: 'read',
      channel: 'telegram',
      queueMode: null,
      conversationId: message.conversationId,
      replyToId: null,
      createdAt: new Date(),
      deliveredAt: null,
      readAt: null,
      error: null,
    } as const;
    const event: Completed = {
      accountId,
      agentId,
      turnId,
      messages: [{ ...base, id: message.id, role: 'user', content: message.content }],
      replies: [{ ...base, id: `msg_${newId()}`, role: 'assistant', content: reply }],
      usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 },
    };
    return publishEvent(bus.connection, messageCompleted, event);
  };

  beforeAll(async () => {
    [postgres, nats] = await Promise.all([freshDatabase(), freshBus('channels')]);
    telegram = new TelegramServer({ port: await freePort(), host: '127.0.0.1', storeTimeout: 600 });
    await telegram.start();
    bus = new Bus(await nats.connect(), 'test');
    const fail = (error: unknown) => console.error(error);
    const bots = [agentId, otherId].map((id) => ({ agentId: id, accountId, name: 'Robin', telegramBotToken: TOKEN }));
    serve(bus.connection, listAgentBots, listAgentBots.subject, () => ({ bots }), fail);
    serve(
      bus.connection,
      getAgent,
      getAgent.subject,
      () => ({
        id: agentId,
        uuid: agentId,
        name: 'Robin',
        description: null,
        status: 'active' as const,
        statusReason: null,
        createdAt: new Date(),
        updatedAt: new Date(),
        pvcSize: '1Gi',
        sessionMode: 'ephemeral' as const,
        warmthWindowMs: 300_000,
        outputTokenBalance: 1,
        configuration: {},
        systemPrompt: null,
        systemPromptType: 'append' as const,
        mcpServers: [],
        filesystemSummary: null,
        ...perPlatform('BotConfigured', () => true),
      }),
      fail,
    );
    serve(
      bus.connection,
      sendMessage,
      sendMessage.subject,
      (input) => {
        const known = sent.find((message) => message.dedupeKey === input.dedupeKey);
        const message = known ?? { ...input, id: `msg_${newId()}` };
        if (!known) sent.push(message);
        return {
          id: message.id,
          role: 'user' as const,
          content: input.content,
          metadata: {},
          status: 'pending' as const,
          channel: input.channel,
          queueMode: input.queueMode,
          conversationId: input.conversationId,
          createdAt: new Date(),
        };
      },
      fail,
    );
    await startReplica();
    rows = await Database.open({ url: postgres.url, schema: 'channels', migrations, poolSize: 2 });
  });

  afterAll(async () => {
    for (const replica of replicas) await replica.stop();
    await rows.close();
    await telegram.stop();
    await bus.connection.close();
    nats.release();
    await postgres.drop();
  });

  const link = async (userId = 7) => {
    const { code } = await bus.request(createLinkCode, { agentId, platform: 'telegram' }, call());
    await say(`/link ${code}`, userId);
    await until('the person is linked', () => shown(userId).some((text) => text.includes('Robin')));
    return code;
  };

  it('links by a code, once', async () => {
    expect((await bus.request(getChannelStatus, { agentId, platform: 'telegram' }, call())).linked).toBe(false);
    await say('hello?');
    await until('the bot asks for a code', () => shown().some((text) => text.includes('/link')));
    const code = await link();
    expect(code).toMatch(/^[A-HJ-NP-Z2-9]{6}$/);
    expect(await bus.request(getChannelStatus, { agentId, platform: 'telegram' }, call())).toMatchObject({
      linked: true,
      binding: { telegramUserId: '7', telegramUsername: 'user7', telegramChatId: '7', queueMode: 'collect' },
    });
    await say(`/link ${code}`, 8);
    await until('the used code is refused', () => shown(8).some((text) => text.includes('wrong or has expired')));
    const { channels } = await bus.request(listChannels, { agentId }, call());
    expect(channels).toMatchObject([
      { type: 'api' },
      { type: 'discord', health: 'not_configured' },
      { type: 'slack', health: 'not_configured' },
      { type: 'telegram', health: 'connected', counterparty: 'user7' },
    ]);
  });

  it('brings a message to the agent and shows the reply as it is written, in one message', async () => {
    await say('how are you?');
    const message = await until('the message is queued', () => sent.find(({ content }) => content === 'how are you?'));
    expect(message).toMatchObject({ agentId, channel: 'telegram', conversationId: 'telegram:4242:7' });
    const turnId = newId();
    const before = shown().length;
    const live = (type: 'text.delta' | 'turn.restarted', seq: number, text = '') =>
      bus.signal(liveSubject(agentId), {
        type,
        agent_id: agentId,
        turn_id: turnId,
        message_id: message.id,
        seq,
        text,
      });
    await until(
      'the first text is shown',
      () => {
        // Hints may be lost before the replica knows that the message is queued: as a worker taking over, start anew.
        live('turn.restarted', 0);
        live('text.delta', 1, 'I am ');
        return shown().at(-1) === 'I am ';
      },
      { everyMs: 200 },
    );
    live('text.delta', 2, '**fi');
    await until('more is shown', () => shown().at(-1)?.includes('fi'));
    await complete(message, turnId, 'I am **fine** & well');
    await until('the whole reply is shown', () => shown().at(-1) === 'I am <b>fine</b> &amp; well');
    expect(shown()).toHaveLength(before + 1);
  });

  it('interrupts at /stop', async () => {
    await say('/stop');
    await until('the interruption is queued', () => sent.some(({ queueMode }) => queueMode === 'interrupt'));
  });

  it('moves the connection to another replica and shows each of 200 replies once', async () => {
    const [first] = replicas;
    const second = await startReplica();
    await say('count');
    const message = await until('the message is queued', () => sent.find(({ content }) => content === 'count'));
    for (let n = 0; n < 200; n++) await complete(message, newId(), `reply ${n}.`);
    await until('some are shown', () => shown().filter((text) => text.startsWith('reply ')).length > 20);
    const left = Date.now();
    await first?.stop();
    replicas.splice(0, replicas.length, second);
    await until('all are shown', () => shown().filter((text) => text.startsWith('reply ')).length >= 200, {
      timeoutMs: 30_000,
    });
    expect(Date.now() - left).toBeLessThan(15_000);
    expect(new Set(shown().filter((text) => text.startsWith('reply '))).size).toBe(200);
    expect(shown().filter((text) => text.startsWith('reply '))).toHaveLength(200);
  });

  it('loses and doubles nothing when the process is killed in the middle of 200 replies', async () => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../../dist/apps/channels/src/main.js', import.meta.url))],
      { env: { PATH: process.env['PATH'], ...environment() }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exited = new Promise((resolve) => child.once('exit', resolve));
    try {
      await Promise.race([
        new Promise((resolve) => child.stdout.once('data', resolve)),
        exited.then(() => Promise.reject(new Error('the process did not start'))),
      ]);
      // The child gets the lease when this replica gives it back.
      await replicas.pop()?.stop();
      await say('count again');
      const message = await until('it is queued', () => sent.find(({ content }) => content === 'count again'));
      const turns = Array.from({ length: 200 }, () => newId());
      for (const [n, turnId] of turns.entries()) await complete(message, turnId, `answer ${n}.`);
      const answers = () => shown().filter((text) => text.startsWith('answer '));
      await until('some are shown', () => answers().length > 20, { timeoutMs: 20_000 });
      child.kill('SIGKILL');
      await exited;
      const killed = answers().length;
      const at = Date.now();
      expect(killed).toBeLessThan(200);
      await startReplica();
      await until('another replica goes on', () => answers().length > killed, { timeoutMs: 20_000 });
      console.log(`${killed} shown before the kill, takeover after ${Date.now() - at} ms`);
      expect(Date.now() - at).toBeLessThan(15_000);
      const settledRows = `SELECT state FROM deliveries WHERE turn_id = ANY($1) AND state IN ('done', 'uncertain')`;
      const settled = await until(
        'all are settled',
        async () => {
          const found = await rows.query<{ state: string }>(settledRows, [turns]);
          return found.length === 200 && found;
        },
        // Events that the killed process had been handed come again after 30 s.
        { timeoutMs: 60_000 },
      );
      const uncertain = settled.filter(({ state }) => state === 'uncertain').length;
      console.log(`${answers().length} of 200 shown, ${uncertain} uncertain`);
      expect(uncertain).toBeLessThanOrEqual(1);
      expect(new Set(answers()).size).toBe(answers().length);
      expect(answers().length).toBeGreaterThanOrEqual(200 - uncertain);
    } finally {
      child.kill('SIGKILL');
    }
  }, 120_000);

  it('retains deliveries for thirty days', async () => {
    await rows.query(`UPDATE deliveries SET created_at = now() - interval '31 days' WHERE body = 'reply 1.'`);
    await new Retention(rows).sweep();
    const left = await rows.query(`SELECT body FROM deliveries WHERE body IN ('reply 1.', 'reply 2.')`);
    expect(left).toEqual([{ body: 'reply 2.' }]);
  });
});
