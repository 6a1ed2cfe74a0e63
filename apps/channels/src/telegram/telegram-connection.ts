import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telegram } from 'telegraf';
import { z } from 'zod';
import { isSameSecret } from '#lib/auth';
import {
  type Connection,
  type ConnectionEvents,
  DeliveryError,
  type InboundFile,
  type OutboundFile,
  type SendKey,
  type WebhookAnswer,
  type WebhookRequest,
} from '../adapters/channel-adapter.js';
import { readEvent } from '../adapters/read-event.js';
import { keyboardOf, pressOf } from './telegram-buttons.js';
import { conflictOf, deliveryErrorOf, retryAfterMsOf, rejectionOf } from './telegram-outcome.js';
import { visible } from './telegram-html.js';
import { inboundOf, moveOf, type TelegramUpdate } from './telegram-message.js';

const POLL_SECONDS = 25;
const UPDATES: ('message' | 'callback_query')[] = ['message', 'callback_query'];
const RETRY_MS = [500, 1_000, 2_000, 5_000, 15_000, 30_000];
/** https://core.telegram.org/bots/api#answercallbackquery */
const MAX_ANSWER = 200;
/** Longer than any send of ours takes; a connection that is silent for longer is not coming back. */
const CALL_TIMEOUT_MS = 20_000;
/** 50 MB over a slow line. */
const FILE_TIMEOUT_MS = 300_000;

/** Telegram forgets no webhook, but another program with the same token may have set its own. */
const WEBHOOK_CHECK_MS = 3_600_000;
/** A connection of ours that another replica took over conflicts too, for a moment. */
const CONFLICTS_UNTOLD = 2;
/** After so long without a conflict the bot is ours alone. */
const CONFLICT_MS = 120_000;
const UpdateId = z.looseObject({ update_id: z.number().int() });

/** As `setWebhook` takes it. */
export interface TelegramWebhook {
  url: string;
  secret_token: string;
}

type Abortable = NonNullable<Parameters<Telegram['callApi']>[2]>;

/** telegraf's types name a polyfill's signal; the fetch beneath takes Node's own. */
function abortable(signal: AbortSignal): Abortable {
  return { signal } as unknown as Abortable;
}

/** One bot on Telegram. Updates are asked for again until `onMessage` has them safe, so they must be deduplicated. */
export class TelegramConnection implements Connection {
  private readonly stop = new AbortController();
  private readonly signal = abortable(this.stop.signal);
  private readonly agent: HttpAgent;
  private readonly telegram: Promise<Telegram>;
  private readonly loop: Promise<void>;
  private me: { id: number; username: string } | undefined;
  private offset = 0;
  private conflicts = 0;
  private conflictAt = -Infinity;

  constructor(
    private readonly apiRoot: string,
    private readonly token: string,
    private readonly events: ConnectionEvents,
    /** Where Telegram is to post updates; absent: they are polled for. */
    private readonly webhook?: TelegramWebhook,
  ) {
    this.agent = apiRoot.startsWith('https:')
      ? new HttpsAgent({ keepAlive: true })
      : new HttpAgent({ keepAlive: true });
    // Loaded with the first bot: a platform without bots pays nothing for the SDK.
    this.telegram = import('telegraf').then(
      ({ Telegram: Client }) => new Client(token, { apiRoot, agent: this.agent, webhookReply: false }),
    );
    this.loop = this.run();
  }

  /** Until it is closed, or the token turns out to be refused: that does not heal, a new one makes a new connection. */
  private async run(): Promise<void> {
    const telegram = await this.telegram;
    let failures = 0;
    while (!this.stop.signal.aborted) {
      try {
        const { id, username } = await telegram.callApi('getMe', {}, this.signal);
        this.me = { id, username };
        if (this.webhook) {
          await telegram.callApi('setWebhook', { ...this.webhook, allowed_updates: UPDATES }, this.signal);
          this.events.onState({ health: 'connected' });
          await sleep(WEBHOOK_CHECK_MS, undefined, { signal: this.stop.signal });
          continue;
        }
        // While a webhook is set, from an earlier mode, Telegram refuses to be polled.
        await telegram.callApi('deleteWebhook', {}, this.signal);
        if (this.conflicts <= CONFLICTS_UNTOLD) this.events.onState({ health: 'connected' });
        await this.poll(telegram, () => {
          failures = 0;
          this.noteAnswer();
        });
      } catch (error) {
        if (this.stop.signal.aborted) return;
        const rejected = rejectionOf(error);
        if (rejected) {
          this.events.onState({ health: 'failed', reason: rejected });
          return;
        }
        this.noteFailure(error);
        this.me = undefined;
        const waitMs = retryAfterMsOf(error) ?? RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 30_000;
        await sleep(waitMs, undefined, { signal: this.stop.signal }).catch(() => undefined);
      }
    }
  }

  private noteFailure(error: unknown): void {
    const reason = conflictOf(error);
    if (reason !== undefined) {
      this.conflicts += 1;
      this.conflictAt = performance.now();
      if (this.conflicts > CONFLICTS_UNTOLD) return this.events.onState({ health: 'failed', reason });
    }
    if (this.me) this.events.onState({ health: 'connecting' });
  }

  /** Each of two programs gets answers in between: only time shows that the other is gone. */
  private noteAnswer(): void {
    if (this.conflicts === 0 || performance.now() - this.conflictAt < CONFLICT_MS) return;
    this.conflicts = 0;
    this.events.onState({ health: 'connected' });
  }

  private async poll(telegram: Telegram, onAnswer: () => void): Promise<void> {
    while (!this.stop.signal.aborted) {
      const asked = Date.now();
      const updates = await telegram.callApi(
        'getUpdates',
        { offset: this.offset, timeout: POLL_SECONDS, allowed_updates: UPDATES },
        this.signal,
      );
      for (const update of updates) {
        // telegraf's update type leaves out what depends on the update's kind; what we read is checked there.
        await this.take(update as TelegramUpdate);
        this.offset = update.update_id + 1;
      }
      onAnswer();
      // Telegram holds the request until there is something; a proxy that does not must not make us spin.
      if (updates.length === 0 && Date.now() - asked < 200) await sleep(200, undefined, { signal: this.stop.signal });
    }
  }

  private async take(update: TelegramUpdate): Promise<void> {
    const { me } = this;
    const move = readEvent(() => moveOf(update), this.events);
    if (move) await this.events.onMoved?.(move.from, move.to);
    const message = readEvent(() => pressOf(update) ?? (me && inboundOf(update, me)), this.events);
    if (message) await this.events.onMessage(message);
  }

  /** An update that Telegram posted: https://core.telegram.org/bots/api#setwebhook, `secret_token`. */
  async receive({ headers, body }: WebhookRequest): Promise<WebhookAnswer> {
    const given = headers['x-telegram-bot-api-secret-token'] ?? '';
    if (!this.webhook || !isSameSecret(given, this.webhook.secret_token))
      return answerOf(401, 'the secret token is wrong');
    if (!this.me) return answerOf(503, 'not connected yet');
    const update = UpdateId.safeParse(parsed(body));
    if (!update.success) return answerOf(400, 'not an update');
    await this.take(update.data as TelegramUpdate);
    return answerOf(200, 'ok');
  }

  async send(place: string, part: string, { isPlain, buttons }: Partial<SendKey> = {}): Promise<string> {
    const { message_id } = await this.call('sendMessage', (telegram, limit) =>
      telegram.callApi(
        'sendMessage',
        { ...targetOf(place), ...written(part, isPlain), ...(buttons ? { reply_markup: keyboardOf(buttons) } : {}) },
        limit,
      ),
    );
    return String(message_id);
  }

  async edit(place: string, messageId: string, part: string, isPlain?: boolean): Promise<void> {
    const { chat_id } = targetOf(place);
    await this.call('editMessageText', (telegram, limit) =>
      telegram.callApi('editMessageText', { chat_id, message_id: Number(messageId), ...written(part, isPlain) }, limit),
    ).catch((error: unknown) => {
      // The text is already there: what an edit is for.
      if (!(error instanceof DeliveryError) || !/message is not modified/i.test(error.message)) throw error;
    });
  }

  async sendFile(place: string, { name, bytes }: OutboundFile): Promise<string> {
    const sent = await this.call(
      'sendDocument',
      (telegram, limit) =>
        telegram.callApi('sendDocument', { ...targetOf(place), document: { source: bytes, filename: name } }, limit),
      FILE_TIMEOUT_MS,
    );
    return String(sent.message_id);
  }

  /** https://core.telegram.org/bots/api#getfile */
  async download({ reference }: InboundFile): Promise<Readable> {
    const { file_path: path } = await this.call('getFile', (telegram, limit) =>
      telegram.callApi('getFile', { file_id: reference }, limit),
    );
    if (!path) throw new DeliveryError('failed', 'Telegram does not have this file any more');
    const answer = await fetch(`${this.apiRoot}/file/bot${this.token}/${path}`, {
      signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
    }).catch(() => undefined);
    if (answer?.ok && answer.body) return Readable.fromWeb(answer.body as ReadableStream<Uint8Array>);
    throw new DeliveryError(
      answer && answer.status < 500 ? 'failed' : 'retry',
      `Telegram did not give the file (${answer ? `status ${answer.status}` : 'no answer'})`,
    );
  }

  /** Shown for a moment to who pressed a button. A press that is too old to be answered was carried out all the same. */
  async answer(answerTo: string, part: string): Promise<void> {
    const about = { callback_query_id: answerTo, text: visible(part).slice(0, MAX_ANSWER), show_alert: false };
    await this.call('answerCallbackQuery', (telegram, limit) => telegram.callApi('answerCallbackQuery', about, limit));
  }

  async showTyping(place: string): Promise<void> {
    const telegram = await this.telegram;
    await telegram
      .callApi('sendChatAction', { ...targetOf(place), action: 'typing' }, this.signal)
      .catch(() => undefined);
  }

  private async call<T>(
    method: string,
    work: (telegram: Telegram, limit: Abortable) => Promise<T>,
    timeoutMs = CALL_TIMEOUT_MS,
  ): Promise<T> {
    try {
      return await work(await this.telegram, abortable(AbortSignal.timeout(timeoutMs)));
    } catch (error) {
      throw deliveryErrorOf(error, method);
    }
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.loop.catch(() => undefined);
    this.agent.destroy();
  }
}

function targetOf(place: string): { chat_id: number; message_thread_id?: number } {
  const [chat, topic] = place.split('/');
  return { chat_id: Number(chat), ...(topic ? { message_thread_id: Number(topic) } : {}) };
}

function written(part: string, isPlain = false): { text: string; parse_mode?: 'HTML' } {
  return isPlain ? { text: visible(part) } : { text: part, parse_mode: 'HTML' };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function answerOf(status: number, body: string): WebhookAnswer {
  return { status, contentType: 'text/plain', body };
}
