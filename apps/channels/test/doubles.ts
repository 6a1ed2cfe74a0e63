import { type AgentBots, type ChatPlatform } from '#lib/contracts';
import { type BotApplication, DiscordServer, SlackPlatform, TelegramPlatform, until, type User } from '#lib/testing';
import { visibleInSlack } from '../src/slack/slack-mrkdwn.js';
import { visible as visibleInTelegram } from '../src/telegram/telegram-html.js';

const TELEGRAM_TOKEN = '4242:testtoken';
/** Until the process that takes events runs again. */
const REPEATED = { timeoutMs: 120_000, everyMs: 300 };

/** A local platform with one bot, as people in their own chats with it see it. People are numbers. */
export interface PlatformDouble {
  platform: ChatPlatform;
  /** For the service's environment. */
  variables: Record<string, string>;
  /** The agent's bot there, as lifecycle returns it. */
  bot: Partial<AgentBots>;
  /** The same bot for the service's environment, as the one that agents without their own share. */
  sharedBot: Record<string, string>;
  /** Sends a text; what it returns delivers the same event again. A command begins with `/`. */
  say(person: number, text: string): Promise<() => Promise<void>>;
  /** Sends something of a message's kind that is not as the platform documents it. */
  garble(person: number): Promise<void>;
  /** What the person is shown, oldest first. */
  shown(person: number): string[];
  /** What the person's own chat shows last, with buttons by their labels and what each carries. */
  lastCard(person: number): ShownCard | undefined;
  /** All texts of that chat so, oldest first. */
  cards(person: number): ShownCard[];
  /** Names and contents of the files that the person is shown. */
  files(person: number): { name: string; text: string }[];
  /** Somebody presses a button that the last card in the chat of `owner` has or had. */
  press(owner: number, carried: string, presser?: number): Promise<Press>;
  /** What is shown, without the platform's marks. */
  visible(part: string): string;
  /** Cuts the connections by which the bot receives. */
  dropSockets(): void;
  /** The next edits fail with a 5xx. */
  failEdits(times: number): void;
  /** The next send fails with a 5xx, and shows nothing. */
  failNextSend(): void;
  /** The next send is answered with a 429 that lasts an hour; returns what ends that. */
  limitNextSend(): () => void;
  /** How often the bot tried to send. */
  sends(): number;
  /** The person blocks the bot, until the call of what it returns. */
  block(person: number): () => void;
  /** Deletes what the person was shown last. */
  deleteLast(person: number): void;
  /** Opens a thread or topic in a new group, where the person asks the bot something. */
  thread(person: number, question: string): Promise<DoubleThread>;
  revoke(): void;
  stop(): Promise<void>;
}

export interface ShownCard {
  text: string;
  buttons: Record<string, string>;
  edits: number;
}

export interface Press {
  /** The same event once more. */
  again(): Promise<void>;
  /** What the presser alone is shown. */
  answers(): string[];
}

export interface DoubleThread {
  delete(): Promise<void>;
  /** What the group shows of the bot, outside the thread. */
  shownAbove(): string[];
}

/** By Socket Mode; with the address of the bot's events by signed posts to it, as Slack makes them without Socket Mode. */
export async function slackDouble(eventsUrl?: () => string): Promise<PlatformDouble> {
  const slack = await SlackPlatform.start();
  const app = slack.addApp();
  const { botToken, appToken, signingSecret } = app;
  const send = async (type: 'events_api' | 'interactive', payload: Record<string, unknown>) => {
    if (!eventsUrl) return void slack.sockets.send(appToken, type, payload);
    const isTaken = () => slack.post(app, eventsUrl(), payload).then(({ ok }) => ok);
    // Slack repeats an event that is not taken. Of a press it shows a warning: whoever pressed may do it again.
    if (type === 'events_api') await until('Slack is answered', () => isTaken().catch(() => false), REPEATED);
    else if (!(await isTaken())) throw new Error('the press was not taken');
  };
  const cards = (person: number): ShownCard[] =>
    slack.shownIn(slack.directChannel(`U${person}`)).flatMap(({ text, blocks, edits }) => {
      const elements = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
      const buttons = Object.fromEntries(elements.map(({ text: label, value = '' }) => [label.text, value]));
      return text === '' ? [] : [{ text: visibleInSlack(text), buttons, edits }];
    });
  return {
    platform: 'slack',
    variables: { SLACK_API_BASE_URL: slack.url },
    bot: { slackBotToken: { botToken, appToken, signingSecret } },
    sharedBot: {
      ...{ SLACK_BOT_TOKEN: botToken, SLACK_SIGNING_SECRET: signingSecret },
      ...(eventsUrl ? {} : { SLACK_APP_TOKEN: appToken }),
    },
    say(person, text) {
      // What begins with a slash is a command of Slack's own client.
      const event = slack.message(`U${person}`, text.replace(/^\//, '!'));
      const deliver = () => send('events_api', event);
      return deliver().then(() => deliver);
    },
    garble: (person) => {
      const { event, ...rest } = slack.message(`U${person}`, 'not as documented');
      return send('events_api', { ...rest, event: { ...(event as object), files: [{ name: 7 }] } });
    },
    shown: (person) => slack.shownIn(slack.directChannel(`U${person}`)).map(({ text }) => text),
    lastCard: (person) => cards(person).at(-1),
    cards,
    files: (person) =>
      slack
        .shownIn(slack.directChannel(`U${person}`))
        .flatMap(({ file }) => (file ? [{ name: file.name, text: file.bytes.toString() }] : [])),
    press(owner, carried, presser = owner) {
      const last = slack.shownIn(slack.directChannel(`U${owner}`)).findLast(({ text }) => text !== '');
      if (!last) throw new Error('there is no card');
      const payload = slack.press(`U${presser}`, last, carried);
      const again = () => send('interactive', payload);
      const answers = () => slack.responses.flatMap(({ url, text }) => (url === payload.response_url ? [text] : []));
      return again().then(() => ({ again, answers }));
    },
    visible: visibleInSlack,
    dropSockets: () => slack.sockets.drop(appToken),
    failEdits: (times) => void (slack.faults['chat.update'] = Array.from({ length: times }, () => ({ status: 503 }))),
    failNextSend: () => void (slack.faults['chat.postMessage'] = [{ status: 503 }]),
    limitNextSend() {
      slack.faults['chat.postMessage'] = [{ retryAfter: 3_600 }];
      return () => undefined;
    },
    sends: () => slack.calls['chat.postMessage'] ?? 0,
    block(person) {
      slack.history.refusing.set(slack.directChannel(`U${person}`), 'is_archived');
      return () => slack.history.refusing.delete(slack.directChannel(`U${person}`));
    },
    deleteLast(person) {
      const last = slack.history.messages.findLastIndex(({ channel }) => channel === slack.directChannel(`U${person}`));
      slack.history.messages.splice(last, 1);
    },
    thread(person, question) {
      const ts = slack.history.nextTs();
      const more = { channel: 'C77', thread_ts: ts };
      const event = slack.message(`U${person}`, `<@${app.botUser}> ${question}`, more);
      slack.sockets.send(appToken, 'events_api', event);
      return Promise.resolve({
        delete: () => Promise.resolve(void slack.history.deletedThreads.add(`C77/${ts}`)),
        shownAbove: () => slack.shownIn('C77').flatMap(({ thread, text }) => (thread === undefined ? [text] : [])),
      });
    },
    revoke: () => slack.revoke(app),
    stop: () => slack.stop(),
  };
}

export async function telegramDouble(): Promise<PlatformDouble> {
  const telegram = await TelegramPlatform.start();
  telegram.addBot(TELEGRAM_TOKEN);
  const cards = (person: number): ShownCard[] =>
    telegram.shown.flatMap(({ chatId, text, buttons: keyboard, edits }) => {
      const buttons = Object.fromEntries(keyboard.map(({ text: label, callback_data: data }) => [label, data]));
      return chatId === String(person) && text !== undefined ? [{ text: visibleInTelegram(text), buttons, edits }] : [];
    });
  return {
    platform: 'telegram',
    variables: { TELEGRAM_API_BASE_URL: telegram.url },
    bot: { telegramBotToken: TELEGRAM_TOKEN },
    sharedBot: { TELEGRAM_BOT_TOKEN: TELEGRAM_TOKEN },
    async say(person, text) {
      const update = await telegram.say(TELEGRAM_TOKEN, person, text);
      return () => telegram.deliver(TELEGRAM_TOKEN, update);
    },
    garble: async (person) => void (await telegram.say(TELEGRAM_TOKEN, person, 'not as documented', { chat: null })),
    shown: (person) => telegram.textsIn(person),
    lastCard: (person) => cards(person).at(-1),
    cards,
    files: (person) =>
      telegram.shown.flatMap(({ chatId, file }) =>
        file && chatId === String(person) ? [{ name: file.name, text: file.bytes.toString() }] : [],
      ),
    async press(owner, carried, presser = owner) {
      const last = telegram.shown.findLast(({ chatId, text }) => chatId === String(owner) && text !== undefined);
      const { id, update } = await telegram.press(TELEGRAM_TOKEN, presser, last?.messageId ?? 0, carried);
      const again = () => telegram.deliver(TELEGRAM_TOKEN, update);
      return { again, answers: () => [telegram.answers.get(id)].flatMap((text) => text ?? []) };
    },
    visible: visibleInTelegram,
    dropSockets: () => void (telegram.faults['getUpdates'] = [{ error_code: 0, description: 'the connection is cut' }]),
    failEdits: (times) =>
      void (telegram.faults['editMessageText'] = Array.from({ length: times }, () => ({
        error_code: 502,
        description: 'Bad Gateway',
      }))),
    failNextSend: () => void (telegram.faults['sendMessage'] = [{ error_code: 502, description: 'Bad Gateway' }]),
    limitNextSend() {
      const limit = { error_code: 429, description: 'Too Many Requests', parameters: { retry_after: 3_600 } };
      telegram.faults['sendMessage'] = [limit];
      return () => undefined;
    },
    sends: () => telegram.calls['sendMessage'] ?? 0,
    block(person) {
      telegram.rules.refuse(person);
      return () => telegram.rules.accept(person);
    },
    deleteLast(person) {
      telegram.shown.splice(
        telegram.shown.findLastIndex(({ chatId }) => chatId === String(person)),
        1,
      );
    },
    async thread(person, question) {
      const topic = { chat: { id: -100_500, type: 'supergroup' }, message_thread_id: 9, is_topic_message: true };
      await telegram.say(TELEGRAM_TOKEN, person, `@roost_bot ${question}`, topic);
      const isAbove = ({ chatId, topic: at }: (typeof telegram.shown)[number]) =>
        chatId === '-100500' && at === undefined;
      return {
        delete: () => Promise.resolve(telegram.rules.deleteTopic(-100_500, 9)),
        shownAbove: () => telegram.shown.filter(isAbove).flatMap(({ text }) => text ?? []),
      };
    },
    revoke: () => telegram.revoke(TELEGRAM_TOKEN),
    stop: () => telegram.stop(),
  };
}

export async function discordDouble(): Promise<PlatformDouble> {
  const discord = await DiscordServer.start();
  discord.http.rateLimits.limits = [];
  discord.http.rateLimits.globalPerSecond = 1_000;
  const bot: BotApplication = discord.addBot('robin');
  const people = new Map<number, User>();
  const person = (n: number) => {
    const user = people.get(n) ?? discord.addUser(`person${n}`);
    people.set(n, user);
    return user;
  };
  const cards = (n: number): ShownCard[] =>
    discord
      .shown(discord.dm(bot, person(n)), bot)
      .flatMap(({ content: text, components, edited_timestamp: edited }) => {
        const all = (components ?? []).flatMap(({ components: inside }) => inside);
        const buttons = Object.fromEntries(all.map(({ label, custom_id: id }) => [label, id]));
        return text === '' ? [] : [{ text, buttons, edits: edited === null ? 0 : 1 }];
      });
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
      });
    },
    revoke: () => void discord.rotateToken(bot),
    stop: () => discord.stop(),
  };
}
