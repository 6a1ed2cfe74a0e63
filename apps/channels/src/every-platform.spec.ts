import { createLinkCode, getChannelStatus, listChannels, type RoostError, unlinkChannel } from '#lib/contracts';
import { newId } from '#lib/database';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelsStage } from './testing/channels-stage.js';
import { discordPeer, type Peer, slackPeer, telegramPeer } from './testing/peers.js';
import { kept } from './testing/random-markdown.js';

const PATIENT = { timeoutMs: 40_000 };
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
  { name: 'Slack', open: slackPeer },
  { name: 'Telegram', open: telegramPeer },
  { name: 'Discord', open: discordPeer },
])('a person on $name', ({ open }) => {
  let peer: Peer;
  let stage: ChannelsStage;
  const other = newId();

  const entry = async () => {
    const { channels } = await stage.request(listChannels, { agentId: stage.agentId });
    return channels.find(({ type }) => type === peer.platform);
  };
  /** Status, list and link at once; whatever the state is, they must say the same of it. */
  const agreed = async () => {
    const onPlatform = { agentId: stage.agentId, platform: peer.platform };
    const [status, channels, linking] = await Promise.all([
      stage.request(getChannelStatus, onPlatform),
      stage.request(listChannels, { agentId: stage.agentId }),
      stage.request(createLinkCode, onPlatform).then(
        () => 'a code',
        (error: unknown) => (error as RoostError).message,
      ),
    ]);
    const entries = channels.channels.filter(({ type }) => type === peer.platform);
    expect(entries.map(({ linked }) => linked)).toEqual(status.linked ? status.bindings?.map(() => true) : [false]);
    expect(entries[0]).toMatchObject({ linked: status.linked, health: status.health });
    expect(entries[0]?.healthReason).toBe(status.healthReason);
    for (const [index, binding] of (status.bindings ?? []).entries())
      expect(entries[index]).toMatchObject({ id: binding.id, health: binding.health });
    const { linked, health, healthReason } = status;
    const isUsable = health === 'connected' || health === 'connecting';
    if (isUsable) expect(linking).toBe('a code');
    else expect(linking).toContain(`${peer.platform}_bot_token`);
    return { linked, health, healthReason };
  };
  const isShown = (person: number, text: string) =>
    until(`${person} is shown "${text}"`, () => peer.shown(person).some((part) => part.includes(text)), PATIENT);
  const link = async (person: number, agentId = stage.agentId) => {
    await peer.say(person, `/link ${await stage.code(peer.platform, agentId)}`);
    await isShown(person, agentId === other ? 'Wren' : 'Robin');
  };
  const ask = async (person: number, text: string) => {
    await peer.say(person, text);
    return stage.queued(text);
  };

  beforeAll(async () => {
    peer = await open();
    stage = await ChannelsStage.open(peer.variables, peer.bot);
    stage.bots = [...stage.bots, { agentId: other, accountId: stage.accountId, name: 'Wren', ...peer.bot }];
    await stage.startReplica();
    await until('it is connected', async () => (await entry())?.health === 'connected', PATIENT);
    await expect(agreed()).resolves.toEqual({ linked: false, health: 'connected', healthReason: undefined });
    await link(1);
    await expect(agreed()).resolves.toEqual({ linked: true, health: 'connected', healthReason: undefined });
  });
  afterAll(async () => {
    await stage.close();
    await peer.stop();
  });

  it('is refused a code that is void, expired, used or guessed, and no answer at all when guessing', async () => {
    const voided = await stage.code(peer.platform);
    const expired = await stage.code(peer.platform);
    await peer.say(11, `/link ${voided}`);
    await until('the voided code is refused', () => peer.shown(11).length === 1);
    await stage.rows.query(`UPDATE link_codes SET expires_at = now() - interval '1 second'`);
    await peer.say(11, `/link ${expired}`);
    await until('the expired code is refused', () => peer.shown(11).length === 2);
    const used = await stage.code(peer.platform);
    await peer.say(12, `/link ${used}`);
    await isShown(12, 'Robin');
    await peer.say(13, `/link ${used}`);
    await until('the used code is refused', () => peer.shown(13).length === 1);
    expect([...peer.shown(11), ...peer.shown(13)].every((text) => text.includes(REFUSED))).toBe(true);
    for (let guess = 0; guess < 8; guess++) await peer.say(14, '/link AAAAAA');
    await peer.say(14, '/help');
    await isShown(14, '/help');
    expect(peer.shown(14).filter((text) => text.includes(REFUSED))).toHaveLength(5);
    await peer.say(14, `/link ${await stage.code(peer.platform)}`);
    await peer.say(14, '/help');
    await until('the bot is through', () => peer.shown(14).filter((text) => text.includes('/help')).length === 2);
    expect(peer.shown(14).join()).not.toContain('Robin');
  });

  it('talks to the newest of two agents, and is told so', async () => {
    await link(15);
    await link(15, other);
    expect(peer.shown(15).at(-1)).toContain('this one answers from now on');
    expect((await ask(15, 'whose are you?')).agentId).toBe(other);
  });

  it('is heard once, when an event comes twice and when it comes late', async () => {
    const again = await peer.say(1, 'just once');
    await again();
    await again();
    await ask(1, 'after that');
    await again();
    await ask(1, 'and that');
    for (const text of ['just once', 'after that']) {
      expect(stage.sent.filter(({ content }) => content === text)).toHaveLength(1);
    }
  });

  it('sees the whole reply in one message when sockets drop and edits fail while it is written', async () => {
    const message = await ask(1, 'how are you?');
    const before = peer.shown(1).length;
    const turnId = newId();
    await until(
      'the first words are shown',
      () => {
        stage.live(message, turnId, 'turn.restarted', 0);
        stage.live(message, turnId, 'text.delta', 1, 'I am ');
        return peer.shown(1).length > before;
      },
      { everyMs: 200 },
    );
    peer.dropSockets();
    peer.failEdits(2);
    stage.live(message, turnId, 'text.delta', 2, 'fine');
    await stage.complete(message, 'I am fine, thank you', turnId);
    await until('the whole reply is shown', () => peer.shown(1).at(-1) === 'I am fine, thank you', PATIENT);
    expect(peer.shown(1)).toHaveLength(before + 1);
    await ask(1, 'still there?');
  });

  it('is shown everything that is long and hard to write, and nothing of what is blank', async () => {
    const message = await ask(1, 'write much');
    const before = peer.shown(1).length;
    await stage.complete(message, LONG);
    await isShown(1, 'last words');
    const parts = peer.shown(1).slice(before);
    expect(kept(parts.map(peer.visible).join(''))).toBe(kept(LONG));
    await stage.complete(message, ' \n\t\n ');
    await stage.complete(message, 'שלום 👩‍👩‍👧 مرحبا');
    await until('the last is shown', () => peer.shown(1).at(-1) === 'שלום 👩‍👩‍👧 مرحبا', PATIENT);
    expect(peer.shown(1)).toHaveLength(before + parts.length + 1);
  }, 60_000);

  it('waits an hour when the platform says so, while others are answered and nothing is asked', async () => {
    await link(2);
    const [one, two] = [await ask(1, 'limit me'), await ask(2, 'and me?')];
    const free = peer.limitNextSend();
    await stage.complete(one, 'much later');
    const [row] = await until('it is put off', async () => {
      const rows = await stage.rows.query<{ wait: string }>(
        `SELECT extract(epoch FROM next_attempt_at - now()) AS wait FROM deliveries
          WHERE body = 'much later' AND state = 'pending' AND attempts = 1 AND next_attempt_at > now()`,
      );
      return rows.length > 0 && rows;
    });
    expect(Number(row?.wait)).toBeGreaterThan(3_000);
    free();
    const sends = peer.sends();
    await stage.complete(two, 'not limited');
    await isShown(2, 'not limited');
    expect(peer.sends() - sends).toBe(1);
    expect(peer.shown(1).join()).not.toContain('much later');
  });

  it('is shown nothing after unlinking', async () => {
    const message = await ask(2, 'last words of mine');
    await stage.request(unlinkChannel, { agentId: stage.agentId, platform: peer.platform });
    await stage.complete(message, 'too late');
    await until('the reply is settled', async () => {
      const rows = await stage.rows.query(`SELECT 1 FROM deliveries WHERE body = 'too late' AND state = 'failed'`);
      return rows.length > 0;
    });
    expect(peer.shown(2).join()).not.toContain('too late');
  });

  it('is told by the owner’s list of channels why a revoked token failed', async () => {
    peer.revoke();
    const failed = await until(
      'it has failed',
      async () => {
        const now = await entry();
        return now?.health === 'failed' && now;
      },
      PATIENT,
    );
    expect(failed.healthReason).toContain(`${peer.platform}_bot_token`);
  });

  it('is in one state, whichever call is asked: refused, without a token, linked and not', async () => {
    const own = stage.bots;
    const set = (bots: typeof own) => void (stage.bots = bots);
    await expect(agreed()).resolves.toMatchObject({ linked: false, health: 'failed' });

    // Linked once, with the bot that is refused now.
    await stage.rows.query(
      `INSERT INTO bindings (id, account_id, agent_id, platform, bot_id, user_id, place)
       SELECT gen_random_uuid(), $1, $2, platform, bot_id, 'somebody', 'a room' FROM connection_leases WHERE platform = $3`,
      [stage.accountId, stage.agentId, peer.platform],
    );
    await expect(agreed()).resolves.toMatchObject({ linked: true, health: 'failed' });

    set(own.map(({ agentId, accountId, name }) => ({ agentId, accountId, name })));
    await expect(agreed()).resolves.toEqual({ linked: true, health: 'not_configured', healthReason: undefined });
    await stage.request(unlinkChannel, { agentId: stage.agentId, platform: peer.platform });
    await expect(agreed()).resolves.toEqual({ linked: false, health: 'not_configured', healthReason: undefined });

    set(own);
    await expect(agreed()).resolves.toMatchObject({ linked: false, health: 'failed' });
  });
});
