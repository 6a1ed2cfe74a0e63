import { setTimeout as sleep } from 'node:timers/promises';
import { getChannelStatus, listChannels, RoostError } from '#lib/contracts';
import { newId } from '#lib/database';
import { freePort, until } from '#lib/testing';
import { TelegramServer } from 'telegram-test-api/lib/telegramServer.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelsFixture, type Sent } from '../test/channels-fixture.js';
import { planPart } from './outbound/deliveries.repository.js';
import { takePreviewOver } from './outbound/previews.repository.js';
import { Retention } from './outbound/retention.js';

const TOKEN = '4242:testtoken';

describe('Telegram, through telegraf and a double of the Bot API', () => {
  let telegram: TelegramServer;
  let fixture: ChannelsFixture;

  const client = (userId = 7) =>
    telegram.getClient(TOKEN, { userId, chatId: userId, userName: `user${userId}`, firstName: 'Ann' });
  const send = (text: string, userId = 7) => {
    const person = client(userId);
    return person.sendMessage(person.makeMessage(text));
  };
  const shown = (chat = 7) =>
    telegram.storage.botMessages.filter((m) => String(m.message.chat_id) === String(chat)).map((m) => m.message.text);

  beforeAll(async () => {
    telegram = new TelegramServer({ port: await freePort(), host: '127.0.0.1', storeTimeout: 600 });
    await telegram.start();
    const variables = { TELEGRAM_API_BASE_URL: telegram.config.apiURL ?? '' };
    fixture = await ChannelsFixture.open(variables, { telegramBotToken: TOKEN });
    // Another agent has the same bot.
    fixture.bots.push({ agentId: newId(), accountId: fixture.accountId, name: 'Robin', telegramBotToken: TOKEN });
    await fixture.startReplica();
  });

  afterAll(async () => {
    await fixture.close();
    await telegram.stop();
  });

  const link = async (userId = 7) => {
    const code = await fixture.code('telegram');
    await send(`/link ${code}`, userId);
    await until('the person is linked', () => shown(userId).some((text) => text.includes('Robin')));
    return code;
  };

  it('links by a code, once', async () => {
    const { agentId } = fixture;
    expect((await fixture.request(getChannelStatus, { agentId, platform: 'telegram' })).linked).toBe(false);
    await send('hello?');
    await until('the bot asks for a code', () => shown().some((text) => text.includes('/link')));
    const code = await link();
    expect(code).toMatch(/^[A-HJ-NP-Z2-9]{6}$/);
    expect(await fixture.request(getChannelStatus, { agentId, platform: 'telegram' })).toMatchObject({
      linked: true,
      binding: { telegramUserId: '7', telegramUsername: 'user7', telegramChatId: '7', queueMode: 'collect' },
    });
    await send(`/link ${code}`, 8);
    await until('the used code is refused', () => shown(8).some((text) => text.includes('wrong or has expired')));
    const { channels } = await fixture.request(listChannels, { agentId });
    expect(channels).toMatchObject([
      { type: 'api' },
      { type: 'discord', health: 'not_configured' },
      { type: 'slack', health: 'not_configured' },
      { type: 'telegram', health: 'connected', counterparty: 'user7' },
    ]);
  });

  it('brings a message to the agent and shows the reply as it is written, in one message', async () => {
    await send('how are you?');
    const message = await fixture.queued('how are you?');
    expect(message).toMatchObject({ agentId: fixture.agentId, channel: 'telegram', conversationId: 'telegram:4242:7' });
    const turnId = newId();
    const before = shown().length;
    const live = (type: 'text.delta' | 'turn.restarted', seq: number, text = '') =>
      fixture.live(message, turnId, type, seq, text);
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
    await fixture.complete(message, 'I am **fine** & well', turnId);
    await until('the whole reply is shown', () => shown().at(-1) === 'I am <b>fine</b> &amp; well');
    expect(shown()).toHaveLength(before + 1);
  });

  it('goes on in the message that a lost worker had begun', async () => {
    await send('and now?');
    const message = await fixture.queued('and now?');
    const before = shown().length;
    const write = (turnId: string, text: string) =>
      until(
        `"${text}" is shown`,
        () => {
          fixture.live(message, turnId, 'turn.restarted', 0);
          fixture.live(message, turnId, 'text.delta', 1, text);
          return shown().at(-1) === text;
        },
        { everyMs: 200 },
      );
    await write(newId(), 'I am about to ');
    // Each attempt is a turn of its own.
    const [second, third] = [newId(), newId()];
    await write(second, 'I am well');
    await fixture.complete(message, 'I am well.', third);
    await until('the whole reply is shown', () => shown().at(-1) === 'I am well.');
    expect(shown()).toHaveLength(before + 1);
  });

  it('edits the reply into what a lost worker had shown, though nobody said that another attempt began', async () => {
    await send('first of two');
    const first = await fixture.queued('first of two');
    const before = shown().length;
    const write = (message: Sent, turnId: string, text: string) => fixture.live(message, turnId, 'text.delta', 1, text);
    const lost = newId();
    await until('it is begun', () => (write(first, lost, 'One'), shown().length > before), { everyMs: 200 });
    // The next attempt answers what came meanwhile, too; its hint that it begins anew is lost.
    await send('second of two');
    const second = await fixture.queued('second of two');
    const next = newId();
    for (let round = 0; round < 15; round += 1) {
      write(second, next, 'One and ');
      await sleep(100);
    }
    expect(shown().length, 'nothing is shown beside it').toBe(before + 1);
    await fixture.complete([first, second], 'One and two.', next);
    await until('the reply is whole', () => shown().at(-1) === 'One and two.');
    expect(shown()).toHaveLength(before + 1);
  });

  it('leaves a turn its message until its end is known, and shows the next turn’s reply in one of its own', async () => {
    await send('first');
    await fixture.queued('first');
    await send('second');
    const [first, second] = [await fixture.queued('first'), await fixture.queued('second')];
    const before = shown().length;
    const write = (message: Sent, turnId: string, text: string) =>
      until(
        `"${text}" is shown`,
        () => {
          fixture.live(message, turnId, 'text.delta', 1, text);
          return shown().at(-1)?.startsWith(text);
        },
        { everyMs: 200 },
      );
    const [one, two] = [newId(), newId()];
    await write(first, one, 'The first ');
    fixture.live(second, two, 'text.delta', 1, 'The second ');
    // What could not be handled at once comes again behind others.
    await fixture.complete(second, 'The second reply.', two);
    await until('the second is whole', () => shown().at(-1) === 'The second reply.');
    await fixture.complete(first, 'The first reply.', one);
    await until('both are whole', () => shown().slice(before).join() === 'The first reply.,The second reply.');
  });

  it('shows nothing of a turn that was interrupted before it was begun to be shown, and what follows as it is written', async () => {
    await send('never mind');
    const message = await fixture.queued('never mind');
    const [turnId, another] = [newId(), newId()];
    await fixture.interrupt(message, 'Half', turnId);
    await send('and that?');
    const next = await fixture.queued('and that?');
    await fixture.complete(next, 'It is handled.');
    await until('what came after it is shown', () => shown().at(-1) === 'It is handled.');
    const before = shown().length;
    for (let round = 0; round < 15; round += 1) {
      fixture.live(message, turnId, 'text.delta', 1, 'Half');
      await sleep(100);
    }
    expect(shown()).toHaveLength(before);
    await send('once more');
    const last = await fixture.queued('once more');
    const write = () => fixture.live(last, another, 'text.delta', 1, 'Whole');
    await until('another turn is shown', () => (write(), shown().at(-1)?.startsWith('Whole')), { everyMs: 200 });
    await fixture.complete(last, 'Whole.', another);
    await until('it is whole', () => shown().at(-1) === 'Whole.');
  });

  it('ends what an earlier attempt had begun to show when a later one is interrupted before it goes on with it', async () => {
    await send('tell me all');
    const message = await fixture.queued('tell me all');
    const before = shown().length;
    const lost = newId();
    const write = () => fixture.live(message, lost, 'text.delta', 1, 'All of');
    await until('it is begun', () => (write(), shown().length > before), { everyMs: 200 });
    await fixture.interrupt(message, 'All of it', newId());
    await until('it is ended', () => shown().at(-1) === 'All of it\n\n(interrupted)');
    expect(shown()).toHaveLength(before + 1);
  });

  it('does not give away a message whose reply is planned at the very same time', async () => {
    const { agentId, rows } = fixture;
    const bot = { platform: 'telegram', botId: 'of-nobody', place: '7' } as const;
    const [first, next, accountId] = [newId(), newId(), newId()];
    await rows.query(
      `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, state, message_id)
       VALUES ($1, $2, 'telegram', $3, '7', $4, 0, 'half', 'preview', '5')`,
      [accountId, agentId, bot.botId, first],
    );
    let asked: Promise<unknown> = Promise.resolve();
    await rows.transaction(async (tx) => {
      const reply = { body: 'whole', path: null, part: 0, replyIds: [] };
      await planPart(tx, { ...bot, accountId, agentId, turnId: first, ...reply });
      asked = takePreviewOver(rows, { ...bot, agentId, turnId: next });
      await until('it waits for the row', async () => {
        const [waiting] = await rows.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting !== undefined;
      });
    });
    expect(await asked).toBeUndefined();
    expect(await rows.query(`SELECT turn_id, state, body FROM deliveries WHERE bot_id = $1`, [bot.botId])).toEqual([
      { turn_id: first, state: 'pending', body: 'whole' },
    ]);
  });

  it('says of a message that can never be handled that it did not reach the agent', async () => {
    fixture.refusals.set('breaks it', new RoostError('INTERNAL', 'something went wrong on our side'));
    await send('breaks it');
    await send('and the next');
    await until('its sender is told', async () => {
      await fixture.rows.query(`UPDATE inbound_events SET next_attempt_at = now() WHERE message IS NOT NULL`);
      return shown().some((text) => text.includes('did not reach the agent'));
    });
    await fixture.queued('and the next');
  });

  it('interrupts at /stop', async () => {
    await send('/stop');
    await until('the interruption is queued', () => fixture.sent.some(({ queueMode }) => queueMode === 'interrupt'));
  });

  it('moves the connection to another replica and shows each of 200 replies once', async () => {
    const [first] = fixture.replicas;
    const second = await fixture.startReplica();
    await send('count');
    const message = await fixture.queued('count');
    for (let n = 0; n < 200; n++) await fixture.complete(message, `reply ${n}.`);
    await until('some are shown', () => shown().filter((text) => text.startsWith('reply ')).length > 20);
    const left = Date.now();
    await first?.stop();
    fixture.replicas.splice(0, fixture.replicas.length, second);
    const before = shown().length;
    await until('the other goes on', () => shown().length > before);
    expect(Date.now() - left).toBeLessThan(25_000);
    await until('all are shown', () => shown().filter((text) => text.startsWith('reply ')).length >= 200);
    expect(new Set(shown().filter((text) => text.startsWith('reply '))).size).toBe(200);
    expect(shown().filter((text) => text.startsWith('reply '))).toHaveLength(200);
  });

  it('loses and doubles nothing when the process is killed in the middle of 200 replies', async () => {
    const child = await fixture.spawnReplica();
    try {
      // The child gets the lease when this replica gives it back.
      await fixture.replicas.pop()?.stop();
      await send('count again');
      const message = await fixture.queued('count again');
      const turns = Array.from({ length: 200 }, () => newId());
      await Promise.all(turns.map((turnId, n) => fixture.complete(message, `answer ${n}.`, turnId)));
      const answers = () => shown().filter((text) => text.startsWith('answer '));
      await until('some are shown', () => answers().length > 20);
      await child.kill();
      const killed = answers().length;
      const at = Date.now();
      expect(killed).toBeLessThan(200);
      await fixture.startReplica();
      await until('another replica goes on', () => answers().length > killed);
      console.log(`${killed} shown before the kill, takeover after ${Date.now() - at} ms`);
      expect(Date.now() - at).toBeLessThan(60_000);
      const finalRows = `SELECT state FROM deliveries WHERE turn_id = ANY($1) AND state IN ('done', 'uncertain')`;
      const final = await until(
        'all are done or uncertain',
        async () => {
          const found = await fixture.rows.query<{ state: string }>(finalRows, [turns]);
          return found.length === 200 && found;
        },
        // Events that the killed process had been handed come again after 30 s.
        { timeoutMs: 60_000 },
      );
      const uncertain = final.filter(({ state }) => state === 'uncertain').length;
      console.log(`${answers().length} of 200 shown, ${uncertain} uncertain`);
      expect(uncertain).toBeLessThanOrEqual(1);
      expect(new Set(answers()).size).toBe(answers().length);
      expect(answers().length).toBeGreaterThanOrEqual(200 - uncertain);
    } finally {
      await child.kill();
    }
  });

  it('retains deliveries for thirty days', async () => {
    await fixture.rows.query(`UPDATE deliveries SET created_at = now() - interval '31 days' WHERE body = 'reply 1.'`);
    await new Retention(fixture.rows).sweep();
    const left = await fixture.rows.query(`SELECT body FROM deliveries WHERE body IN ('reply 1.', 'reply 2.')`);
    expect(left).toEqual([{ body: 'reply 2.' }]);
  });
});
