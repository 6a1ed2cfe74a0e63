import { type BotApplication, type Channel, DiscordServer, until, type User } from '#lib/testing';
import type { PlatformDouble, ShownCard } from './platform-double.js';

export async function discordDouble(): Promise<PlatformDouble> {
  const discord = await DiscordServer.start();
  discord.interactions.answerMs = 60_000;
  discord.http.rateLimits.limits = [];
  discord.http.rateLimits.globalPerSecond = 1_000;
  const bot: BotApplication = discord.addBot('robin');
  const people = new Map<number, User>();
  const person = (n: number) => {
    const user = people.get(n) ?? discord.addUser(`person${n}`);
    people.set(n, user);
    return user;
  };
  const cardsIn = (channel: Channel): ShownCard[] =>
    discord.shown(channel, bot).flatMap(({ content: text, components, edited_timestamp: edited }) => {
      const all = (components ?? []).flatMap(({ components: inside }) => inside);
      const buttons = Object.fromEntries(all.map(({ label, custom_id: id }) => [label, id]));
      return text === '' ? [] : [{ text, buttons, edits: edited === null ? 0 : 1 }];
    });
  const cards = (n: number) => cardsIn(discord.dm(bot, person(n)));
  return {
    platform: 'discord',
    variables: { DISCORD_API_BASE_URL: discord.apiUrl },
    bot: { discordBotToken: bot.token },
    sharedBot: { DISCORD_BOT_TOKEN: bot.token },
    say(n, text) {
      const { id } = discord.say(person(n), discord.dm(bot, person(n)), text);
      const again = () => discord.gateway.sessionsOf(bot).forEach((session) => session.repeatMessage(id));
      return Promise.resolve(() => Promise.resolve(again()));
    },
    garble: (n) => {
      const { id: channel_id } = discord.dm(bot, person(n));
      discord.gateway.dispatch(bot, 'MESSAGE_CREATE', {
        id: '1',
        channel_id,
        author: person(n),
        type: 0,
        content: 'odd',
      });
      return Promise.resolve();
    },
    shown: (n) => discord.shown(discord.dm(bot, person(n)), bot).map(({ content }) => content),
    lastCard: (n) => cards(n).at(-1),
    cards,
    files: (n) =>
      discord.shown(discord.dm(bot, person(n)), bot).flatMap((message) =>
        message.attachments.map(({ filename }, at) => ({
          name: filename,
          text: discord.fileOf(message, at)?.toString() ?? '',
        })),
      ),
    press(owner, carried, presser = owner) {
      const channel = discord.dm(bot, person(owner));
      const last = discord.shown(channel, bot).findLast(({ content }) => content !== '');
      if (!last) throw new Error('there is no card');
      const made = discord.interactions.press(bot, channel, person(presser), last, carried);
      const again = () => Promise.resolve(discord.interactions.deliverPress(made, carried));
      return Promise.resolve({ again, answers: () => made.responses.map(({ content }) => content) });
    },
    visible: (part) => part,
    dropSockets: () => discord.dropSockets(bot),
    failEdits: (times) => discord.fault(/^PATCH .*messages/, { status: 503 }, times),
    failNextSend: () => discord.fault(/^POST .*messages$/, { status: 503 }),
    limitNextSend() {
      discord.http.rateLimits.force(/^POST .*messages$/, 3_600);
      return () => discord.http.rateLimits.free();
    },
    sends: () => discord.http.requests.filter((route) => route === 'POST /channels/:id/messages').length,
    limitNextEdit: () => discord.http.rateLimits.force(/^PATCH .*messages/, 3_600),
    edits: () => discord.http.requests.filter((route) => /^PATCH .*messages/.test(route)).length,
    block(n) {
      const channel = discord.dm(bot, person(n));
      discord.refuse(channel, 403, 50_007, 'Cannot send messages to this user');
      return () => discord.messages.refusing.delete(channel.id);
    },
    deleteLast(n) {
      const last = discord.shown(discord.dm(bot, person(n)), bot).at(-1);
      if (last) discord.deleteMessage(last);
    },
    thread(n, question) {
      const { guildId, channel } = discord.addGuild('home', [bot]);
      const thread = discord.world.addChannel({ type: 11, name: 'plans', guild_id: guildId, parent_id: channel.id });
      discord.say(person(n), thread, `<@${bot.user.id}> ${question}`);
      return Promise.resolve({
        async delete() {
          await until('the bot knows its channel', () => discord.http.requests.includes('GET /channels/:id'));
          discord.deleteChannel(thread);
        },
        shownAbove: () => discord.shown(channel, bot).map(({ content }) => content),
        say: (who, text) => Promise.resolve(void discord.say(person(who), thread, text)),
        answer: (who, text) => {
          const replyTo = discord.shown(thread, bot).at(-1);
          return Promise.resolve(void discord.say(person(who), thread, text, replyTo ? { replyTo } : {}));
        },
        cards: () => cardsIn(thread),
      });
    },
    revoke: () => void discord.rotateToken(bot),
    stop: () => discord.stop(),
  };
}
