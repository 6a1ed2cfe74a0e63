import { createLinkCode, getChannelStatus, listChannels, RoostError, unlinkChannel } from '#lib/contracts';
import { newId } from '#lib/database';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelsFixture } from '../test/channels-fixture.js';
import { discordDouble, type PlatformDouble, slackDouble, telegramDouble } from '../test/doubles/index.js';
import { lettersOf } from '../test/random-markdown.js';

const REFUSED = 'wrong or has expired';

/** 100,000 characters of what is hard to show: fences in fences, marks without an end, scripts from right to left. */
const HARD = [
  '````',
  'before\n```ts\nconst x = `1`;\n```\nafter',
  '````',
  '_*[]()~`>#+-=|{}.!\\\\ **bold _both <b>tag</b> &amp; ||hidden||',
  'שלום עולם 👩‍👩‍👧 مرحبا 🇺🇳 e\u0301',
  '```\nnever closed',
].join('\n');
const LONG = `${`${HARD}\n\`\`\`\n\nword word\n\n`.repeat(1_000).slice(0, 99_000)}\n\nlast words`;

describe.each([
  { name: 'Slack', open: slackDouble },
  { name: 'Telegram', open: telegramDouble },
  { name: 'Discord', open: discordDouble },
])('a person on $name', ({ open }) => {
  let double: PlatformDouble;
  let fixture: ChannelsFixture;
  const other = newId();

  const entry = async () => {
    const { channels } = await fixture.request(listChannels, { agentId: fixture.agentId });
    return channels.find(({ type }) => type === double.platform);
  };
  /** Status, list and link at once; whatever the state is, they must say the same of it. */
  const agreed = async () => {
    const onPlatform = { agentId: fixture.agentId, platform: double.platform };
    const [status, channels, linking] = await Promise.all([
      fixture.request(getChannelStatus, onPlatform),
      fixture.request(listChannels, { agentId: fixture.agentId }),
      fixture.request(createLinkCode, onPlatform).then(
        () => 'a code',
        (error: unknown) => (error as RoostError).message,
      ),
    ]);
    const entries = channels.channels.filter(({ type }) => type === double.platform);
    expect(entries.map(({ linked }) => linked)).toEqual(status.linked ? status.bindings?.map(() => true) : [false]);
    expect(entries[0]).toMatchObject({ linked: status.linked, health: status.health });
    expect(entries[0]?.healthReason).toBe(status.healthReason);
    for (const [index, binding] of (status.bindings ?? []).entries())
      expect(entries[index]).toMatchObject({ id: binding.id, health: binding.health });
    const { linked, health, healthReason } = status;
    const isUsable = health === 'connected' || health === 'connecting';
    if (isUsable) expect(linking).toBe('a code');
    else expect(linking).toContain(`${double.platform}_bot_token`);
    return { linked, health, healthReason };
  };
  const isShown = (person: number, text: string) =>
    until(`${person} is shown "${text}"`, () => double.shown(person).some((part) => part.includes(text)));
  const link = async (person: number, agentId = fixture.agentId) => {
    await double.say(person, `/link ${await fixture.code(double.platform, agentId)}`);
    await isShown(person, agentId === other ? 'Wren' : 'Robin');
  };
  const ask = async (person: number, text: string) => {
    await double.say(person, text);
    return fixture.queued(text);
  };

  beforeAll(async () => {
    double = await open();
    fixture = await ChannelsFixture.open(double.variables, double.bot);
    fixture.bots = [...fixture.bots, { agentId: other, accountId: fixture.accountId, name: 'Wren', ...double.bot }];
    await fixture.startReplica();
    await until('it is connected', async () => (await entry())?.health === 'connected');
    await expect(agreed()).resolves.toEqual({ linked: false, health: 'connected', healthReason: undefined });
    await link(1);
    await expect(agreed()).resolves.toEqual({ linked: true, health: 'connected', healthReason: undefined });
  });
  afterAll(async () => {
    await fixture.close();
    await double.stop();
  });

  it('is refused a code that is void, expired, used or guessed, and no answer at all when guessing', async () => {
    const voided = await fixture.code(double.platform);
    const expired = await fixture.code(double.platform);
    await double.say(11, `/link ${voided}`);
    await until('the voided code is refused', () => double.shown(11).length === 1);
    await fixture.rows.query(`UPDATE link_codes SET expires_at = now() - interval '1 second'`);
    await double.say(11, `/link ${expired}`);
    await until('the expired code is refused', () => double.shown(11).length === 2);
    const used = await fixture.code(double.platform);
    await double.say(12, `/link ${used}`);
    await isShown(12, 'Robin');
    await double.say(13, `/link ${used}`);
    await until('the used code is refused', () => double.shown(13).length === 1);
    expect([...double.shown(11), ...double.shown(13)].every((text) => text.includes(REFUSED))).toBe(true);
    for (let guess = 0; guess < 8; guess++) await double.say(14, '/link AAAAAA');
    await double.say(14, '/help');
    await isShown(14, 'this list');
    expect(double.shown(14).filter((text) => text.includes(REFUSED))).toHaveLength(5);
    await double.say(14, `/link ${await fixture.code(double.platform)}`);
    await double.say(14, '/help');
    await until('the bot is through', () => double.shown(14).filter((text) => text.includes('this list')).length === 2);
    expect(double.shown(14).join()).not.toContain('Robin');
  });

  it('talks to the newest of two agents, and is answered so', async () => {
    await link(15);
    await link(15, other);
    expect(double.shown(15).at(-1)).toContain('this one answers from now on');
    expect((await ask(15, 'whose are you?')).agentId).toBe(other);
  });

  it('is received once, when an event comes twice and when it comes late', async () => {
    const again = await double.say(1, 'just once');
    await again();
    await again();
    await ask(1, 'after that');
    await again();
    await ask(1, 'and that');
    for (const text of ['just once', 'after that']) {
      expect(fixture.sent.filter(({ content }) => content === text)).toHaveLength(1);
    }
  });

  it('is received when the bot is mentioned without words, and when nothing of a message can be read', async () => {
    await double.thread(1, '');
    await fixture.queued('[Mentioned you without words]');
    const before = fixture.sent.length;
    await double.say(1, '');
    await until('the agent gets a line', () => fixture.sent.length > before);
    expect(fixture.sent.at(-1)?.content).toMatch(/^\[(Mentioned you|Sent something) .+\]$/);
  });

  it('is received after an event that cannot be read', async () => {
    await double.garble(1);
    await ask(1, 'after what is odd');
  });

  it('is received without the characters that no database stores', async () => {
    await double.say(1, 'a \0 nought and \ud83d half');
    await fixture.queued('a  nought and \ufffd half');
    await ask(1, 'after what cannot be kept');
  });

  it('is told why a message is not taken, and is received with the next', async () => {
    fixture.refusals.set('not this', new RoostError('VALIDATION_ERROR', 'content: not this'));
    await double.say(1, 'not this');
    await isShown(1, 'content: not this');
    await ask(1, 'but this');
  });

  it('sees the whole reply in one message when sockets drop and edits fail while it is written', async () => {
    const message = await ask(1, 'how are you?');
    const before = double.shown(1).length;
    const turnId = newId();
    await until(
      'the first text is shown',
      () => {
        fixture.live(message, turnId, 'turn.restarted', 0);
        fixture.live(message, turnId, 'text.delta', 1, 'I am ');
        return double.shown(1).length > before;
      },
      { everyMs: 200 },
    );
    double.dropSockets();
    double.failEdits(2);
    fixture.live(message, turnId, 'text.delta', 2, 'fine');
    await fixture.complete(message, 'I am fine, thank you', turnId);
    await until('the whole reply is shown', () => double.shown(1).at(-1) === 'I am fine, thank you');
    expect(double.shown(1)).toHaveLength(before + 1);
    await ask(1, 'still there?');
  });

  it('is shown everything that is long and hard to write, and nothing of what is blank', async () => {
    const message = await ask(1, 'write much');
    const before = double.shown(1).length;
    await fixture.complete(message, LONG);
    await isShown(1, 'last words');
    const parts = double.shown(1).slice(before);
    expect(lettersOf(parts.map(double.visible).join(''))).toBe(lettersOf(LONG));
    await fixture.complete(message, ' \n\t\n ');
    await fixture.complete(message, 'שלום 👩‍👩‍👧 مرحبا');
    await until('the last is shown', () => double.shown(1).at(-1) === 'שלום 👩‍👩‍👧 مرحبا');
    expect(double.shown(1)).toHaveLength(before + parts.length + 1);
  });

  it('waits an hour when the platform asks for it, while others are answered and nothing is asked', async () => {
    await link(2);
    const [one, two] = [await ask(1, 'limit me'), await ask(2, 'and me?')];
    const free = double.limitNextSend();
    await fixture.complete(one, 'much later');
    const [row] = await until('it is put off', async () => {
      const rows = await fixture.rows.query<{ wait: string }>(
        `SELECT extract(epoch FROM next_attempt_at - now()) AS wait FROM deliveries
          WHERE body = 'much later' AND state = 'pending' AND attempts = 1 AND next_attempt_at > now()`,
      );
      return rows.length > 0 && rows;
    });
    expect(Number(row?.wait)).toBeGreaterThan(3_000);
    free();
    const sends = double.sends();
    await fixture.complete(two, 'not limited');
    await isShown(2, 'not limited');
    expect(double.sends() - sends).toBe(1);
    expect(double.shown(1).join()).not.toContain('much later');
  });

  it('is answered while the platform takes no edit of another reply for an hour', async () => {
    await link(3);
    const [one, two] = [await ask(3, 'write to me'), await ask(2, 'and to me')];
    const [before, turnId] = [double.shown(3).length, newId()];
    let seq = 0;
    const write = (text: string) => {
      fixture.live(one, turnId, 'turn.restarted', seq++);
      fixture.live(one, turnId, 'text.delta', seq++, text);
    };
    const isWritten = () => (write('It is '), double.shown(3).length > before);
    await until('the first text is shown', isWritten, { everyMs: 200 });
    const edits = double.edits();
    double.limitNextEdit();
    await until('it is told to wait', () => (write('It is long'), double.edits() > edits), { everyMs: 200 });
    await fixture.complete(two, 'not held up');
    await isShown(2, 'not held up');
  });

  it('is shown nothing after unlinking', async () => {
    const message = await ask(2, 'last words of mine');
    await fixture.request(unlinkChannel, { agentId: fixture.agentId, platform: double.platform });
    await fixture.complete(message, 'too late');
    await until('the reply has its outcome', async () => {
      const rows = await fixture.rows.query(`SELECT 1 FROM deliveries WHERE body = 'too late' AND state = 'failed'`);
      return rows.length > 0;
    });
    expect(double.shown(2).join()).not.toContain('too late');
  });

  it('shows in the owner’s list of channels why a revoked token failed', async () => {
    double.revoke();
    const failed = await until('it has failed', async () => {
      const now = await entry();
      return now?.health === 'failed' && now;
    });
    expect(failed.healthReason).toContain(`${double.platform}_bot_token`);
  });

  it('is in one state, whichever call is asked: refused, without a token, linked and not', async () => {
    const own = fixture.bots;
    const set = (bots: typeof own) => void (fixture.bots = bots);
    await expect(agreed()).resolves.toMatchObject({ linked: false, health: 'failed' });

    // Linked once, with the bot that is refused now.
    await fixture.rows.query(
      `INSERT INTO bindings (id, account_id, agent_id, platform, bot_id, user_id, place)
       SELECT gen_random_uuid(), $1, $2, platform, bot_id, 'somebody', 'a room' FROM connection_leases WHERE platform = $3`,
      [fixture.accountId, fixture.agentId, double.platform],
    );
    await expect(agreed()).resolves.toMatchObject({ linked: true, health: 'failed' });

    set(own.map(({ agentId, accountId, name }) => ({ agentId, accountId, name })));
    await expect(agreed()).resolves.toEqual({ linked: true, health: 'not_configured', healthReason: undefined });
    await fixture.request(unlinkChannel, { agentId: fixture.agentId, platform: double.platform });
    await expect(agreed()).resolves.toEqual({ linked: false, health: 'not_configured', healthReason: undefined });

    set(own);
    // It is tried anew, which the double refuses.
    await until('the bot is refused', async () => (await entry())?.health === 'failed');
    await expect(agreed()).resolves.toMatchObject({ linked: false, health: 'failed' });
  });
});
