import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { networkDelay } from '../network-delay.js';
import { keyboardFault, type TelegramButton, type TelegramFault, TelegramRules } from './telegram-rules.js';

/** One thing that a bot shows in a chat. */
export interface ShownInTelegram {
  messageId: number;
  chatId: string;
  topic?: string;
  text?: string;
  file?: { name: string; bytes: Buffer };
  buttons: TelegramButton[];
  edits: number;
}

interface Bot {
  updates: object[];
  /** The kinds that it wants; others are not kept for it. */
  allowed: string[];
  waiting: (() => void)[];
  webhook?: { url: string; secret: string };
}
type Values = Record<string, unknown>;
type Fault = TelegramFault;

/**
 * The part of Telegram's Bot API that bots here use, after https://core.telegram.org/bots/api: long polling, webhooks
 * with their secret, messages, edits, files in both directions. Tokens it does not know are refused as revoked.
 */
export class TelegramPlatform {
  /** Who refuses the bot, and what texts are refused. */
  readonly rules = new TelegramRules();
  readonly shown: ShownInTelegram[] = [];
  readonly typing: string[] = [];
  /** How often each method was called. */
  readonly calls: Record<string, number> = {};
  /** Answers, by method, that come before the real ones. */
  readonly faults: Record<string, Fault[]> = {};
  /** Where webhooks really go: stands for the name that the public address would have. */
  webhookOrigin: string | undefined;
  private readonly bots = new Map<string, Bot>();
  /** What pressing a button was answered, by the query's id; undefined: not yet. */
  readonly answers = new Map<string, string | undefined>();
  private readonly files = new Map<string, { bytes: Buffer; size: number }>();
  private readonly server: Server;
  private nextId = 1;

  private constructor() {
    this.server = createServer((request, response) => {
      networkDelay()
        .then(() => this.answer(request, response))
        .catch(() => response.destroy());
    });
  }

  static async start(): Promise<TelegramPlatform> {
    const platform = new TelegramPlatform();
    platform.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => platform.server.once('listening', resolve));
    return platform;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  addBot(token: string): void {
    this.bots.set(token, { updates: [], allowed: ['message'], waiting: [] });
  }

  revoke(token: string): void {
    for (const wake of this.bots.get(token)?.waiting ?? []) wake();
    this.bots.delete(token);
  }

  webhookOf(token: string): { url: string; secret: string } | undefined {
    return this.bots.get(token)?.webhook;
  }

  /** Something a person sends; `more` overrides fields of the message. Gives the update, to be delivered again. */
  async say(token: string, userId: number, text: string, more: object = {}): Promise<object> {
    const update = {
      update_id: this.nextId++,
      message: {
        message_id: this.nextId++,
        date: Math.floor(Date.now() / 1_000),
        chat: { id: userId, type: 'private' },
        from: { id: userId, is_bot: false, first_name: 'Ann', username: `user${userId}` },
        ...(text ? { text } : {}),
        ...more,
      },
    };
    await this.deliver(token, update);
    return update;
  }

  /** A person presses a button of a message, or one that it had before. Gives the query's id, and the update. */
  async press(token: string, userId: number, messageId: number, data: string) {
    const shown = this.shown.find((message) => message.messageId === messageId);
    const chatId = Number(shown?.chatId ?? userId);
    const id = String(this.nextId++);
    this.answers.set(id, undefined);
    const update = {
      update_id: this.nextId++,
      callback_query: {
        ...{ id, data, chat_instance: '1' },
        from: { id: userId, is_bot: false, first_name: 'Ann', username: `user${userId}` },
        message: { message_id: messageId, date: 1, chat: { id: chatId, type: chatId < 0 ? 'supergroup' : 'private' } },
      },
    };
    await this.deliver(token, update);
    return { id, update };
  }

  /** A document as a message carries it; `size` lies about its size. */
  document(name: string, bytes: Buffer, size = bytes.length): object {
    const id = `file${this.nextId++}`;
    this.files.set(id, { bytes, size });
    return { document: { file_id: id, file_unique_id: id, file_name: name, file_size: size } };
  }

  async deliver(token: string, update: object): Promise<void> {
    const bot = this.bots.get(token);
    if (!bot) throw new Error('no such bot');
    if ('callback_query' in update && !bot.allowed.includes('callback_query')) return;
    if (bot.webhook) {
      const { pathname } = new URL(bot.webhook.url);
      await fetch(this.webhookOrigin ? `${this.webhookOrigin}${pathname}` : bot.webhook.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': bot.webhook.secret },
        body: JSON.stringify(update),
      });
      return;
    }
    bot.updates.push(update);
    for (const wake of bot.waiting.splice(0)) wake();
  }

  textsIn(chat: number | string): string[] {
    return this.shown.flatMap(({ chatId, text }) => (chatId === String(chat) && text !== undefined ? [text] : []));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, kind, first, ...rest] = /^\/(file\/)?bot([^/]+)\/(.+)$/.exec(request.url ?? '') ?? [];
    const token = decodeURIComponent(first ?? '');
    const target = rest[0] ?? '';
    const bot = this.bots.get(token);
    if (kind) {
      const file = bot && this.files.get(target.replace(/^documents\//, ''));
      response.writeHead(file ? 200 : 404).end(file?.bytes);
      return;
    }
    const values = await valuesOf(request);
    this.calls[target] = (this.calls[target] ?? 0) + 1;
    const fault = this.faults[target]?.shift();
    if (fault?.error_code === 0) return void response.destroy();
    const result =
      fault ?? (bot ? await this.call(bot, target, values) : { error_code: 401, description: 'Unauthorized' });
    if (response.destroyed) return;
    const isError = typeof result === 'object' && 'error_code' in result;
    response
      .writeHead(isError ? Number(result.error_code) : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(isError ? { ok: false, ...result } : { ok: true, result }));
  }

  private async call(bot: Bot, method: string, values: Values): Promise<object | boolean | Fault> {
    const chatId = String(values['chat_id']);
    const refused =
      values['chat_id'] === undefined ? undefined : this.rules.placeFault(chatId, textOf(values['message_thread_id']));
    if (refused) return refused;
    switch (method) {
      case 'getMe':
        return { id: 4242, is_bot: true, first_name: 'Roost', username: 'roost_bot' };
      case 'getUpdates':
        allow(bot, values);
        return this.updates(bot, Number(values['offset'] ?? 0));
      case 'setWebhook':
        allow(bot, values);
        bot.webhook = { url: String(values['url']), secret: String(values['secret_token']) };
        return true;
      case 'deleteWebhook':
        delete bot.webhook;
        return true;
      case 'sendChatAction':
        this.typing.push(chatId);
        return true;
      case 'sendMessage': {
        const text = textOf(values['text']);
        const fault = this.rules.textFault(text, values['parse_mode']) ?? keyboardFault(values['reply_markup']);
        return fault ?? this.show(chatId, values, { text, buttons: buttonsOf(values['reply_markup']) });
      }
      case 'editMessageText': {
        const message = this.shown.find(
          (one) => one.messageId === Number(values['message_id']) && one.chatId === chatId,
        );
        if (!message) return { error_code: 400, description: 'Bad Request: message to edit not found' };
        const buttons = buttonsOf(values['reply_markup']);
        if (message.text === values['text'] && JSON.stringify(message.buttons) === JSON.stringify(buttons))
          return { error_code: 400, description: 'Bad Request: message is not modified' };
        const fault =
          this.rules.textFault(textOf(values['text']), values['parse_mode']) ?? keyboardFault(values['reply_markup']);
        if (fault) return fault;
        // Without a keyboard the old one goes.
        message.buttons = buttons;
        message.text = String(values['text']);
        message.edits += 1;
        return { message_id: message.messageId };
      }
      case 'answerCallbackQuery': {
        const id = textOf(values['callback_query_id']);
        const text = textOf(values['text']);
        if (!this.answers.has(id)) {
          const description = 'Bad Request: query is too old and response timeout expired or query ID is invalid';
          return { error_code: 400, description };
        }
        if (text.length > 200) return { error_code: 400, description: 'Bad Request: MESSAGE_TOO_LONG' };
        this.answers.set(id, text);
        return true;
      }
      case 'sendDocument': {
        const file = values['document'];
        if (!(file instanceof File)) return { error_code: 400, description: 'Bad Request: there is no document' };
        return this.show(chatId, values, { file: { name: file.name, bytes: Buffer.from(await file.arrayBuffer()) } });
      }
      case 'getFile': {
        const id = String(values['file_id']);
        const file = this.files.get(id);
        if (!file) return { error_code: 400, description: 'Bad Request: invalid file_id' };
        if (file.size > 20 * 1024 ** 2) return { error_code: 400, description: 'Bad Request: file is too big' };
        return { file_id: id, file_size: file.size, file_path: `documents/${id}` };
      }
      default:
        return { error_code: 404, description: 'Not Found: method not found' };
    }
  }

  private show(chatId: string, values: Values, content: Partial<ShownInTelegram>): object {
    const messageId = this.nextId++;
    const topic = values['message_thread_id'];
    this.shown.push({
      messageId,
      chatId,
      ...(topic === undefined ? {} : { topic: textOf(topic) }),
      buttons: [],
      ...content,
      edits: 0,
    });
    return { message_id: messageId, chat: { id: Number(chatId) } };
  }

  private async updates(bot: Bot, offset: number): Promise<object | Fault> {
    if (bot.webhook)
      return { error_code: 409, description: "Conflict: can't use getUpdates method while webhook is active" };
    const idOf = (update: object) => (update as { update_id: number }).update_id;
    bot.updates = bot.updates.filter((update) => idOf(update) >= offset);
    if (bot.updates.length === 0) {
      await new Promise<void>((resolve) => {
        bot.waiting.push(resolve);
        setTimeout(resolve, 5_000).unref();
      });
    }
    if (![...this.bots.values()].includes(bot)) return { error_code: 401, description: 'Unauthorized' };
    return bot.updates;
  }

  async stop(): Promise<void> {
    for (const { waiting } of this.bots.values()) for (const wake of waiting) wake();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** https://core.telegram.org/bots/api#getupdates: what is not named is as it was. */
function allow(bot: Bot, { allowed_updates: allowed }: Values): void {
  if (Array.isArray(allowed)) bot.allowed = allowed.map(String);
}

function buttonsOf(markup: unknown): TelegramButton[] {
  return ((markup as { inline_keyboard?: TelegramButton[][] } | undefined)?.inline_keyboard ?? []).flat();
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Bots send JSON, or multipart when there is a file. */
async function valuesOf(request: IncomingMessage): Promise<Values> {
  const bytes = await buffer(request);
  const type = request.headers['content-type'] ?? '';
  if (bytes.length === 0) return {};
  if (type.includes('json')) return JSON.parse(bytes.toString('utf8')) as Values;
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
  return Object.fromEntries(form.entries());
}
