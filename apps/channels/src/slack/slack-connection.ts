import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  BotCredentials,
  Connection,
  ConnectionEvents,
  InboundFile,
  OutboundFile,
  SendKey,
  WebhookAnswer,
  WebhookRequest,
} from '../adapters/channel-adapter.js';
import { DeliveryError } from '../adapters/channel-adapter.js';
import { fetchFile, putFile, respond, type SlackClients, slackClients } from './slack-client.js';
import { findShown, type Shown } from './slack-find-shown.js';
import { type Identity, SlackInbound } from './slack-inbound.js';
import { escapeSlack, visibleInSlack } from './slack-mrkdwn.js';
import { deliveryErrorOf, rejectionOf, retryAfterMsOf } from './slack-outcome.js';
import { blocksOf } from './slack-buttons.js';
import { SlackPeople } from './slack-people.js';
import { SlackSocket } from './slack-socket.js';

const RETRY_MS = [500, 2_000, 5_000, 15_000, 30_000];
/** Names our messages to ourselves: https://docs.slack.dev/messaging/message-metadata */
export const DELIVERY_EVENT = 'roost_delivery';

/** One bot on Slack: Socket Mode with an app token, else what Slack posts to the gateway. */
export class SlackConnection implements Connection {
  private readonly stop = new AbortController();
  private readonly clients: SlackClients;
  private readonly inbound: SlackInbound;
  private readonly loop: Promise<void>;
  private socket: SlackSocket | undefined;
  private me: Identity | undefined;
  private canShowStatus = true;

  constructor(
    private readonly apiUrl: string,
    private readonly credentials: BotCredentials,
    private readonly events: ConnectionEvents,
  ) {
    this.clients = slackClients(credentials.token, apiUrl);
    const { steady } = this.clients;
    this.inbound = new SlackInbound(credentials.signingSecret, new SlackPeople(steady), steady, events);
    this.loop = this.signIn();
  }

  private async signIn(): Promise<void> {
    for (let failures = 0; !this.stop.signal.aborted; failures++) {
      try {
        const { user_id: userId = '', team_id: teamId, bot_id: botId } = await this.clients.once.auth.test();
        this.me = { userId, teamId, botId };
        this.inbound.me = this.me;
        break;
      } catch (error) {
        if (this.refused(error)) return;
        const waitMs = retryAfterMsOf(error) ?? RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 30_000;
        await sleep(waitMs, undefined, { signal: this.stop.signal }).catch(() => undefined);
      }
    }
    const { appToken } = this.credentials;
    if (this.stop.signal.aborted) return;
    if (appToken === undefined) return this.events.onState({ health: 'connected' });
    this.socket = new SlackSocket(this.apiUrl, appToken, (type, body) => this.inbound.take(type, body), this.events);
  }

  /** Says so when Slack refuses the bot token, which may happen at any call. */
  private refused(error: unknown): boolean {
    const reason = rejectionOf(error, 'bot_token');
    if (reason !== undefined) this.events.onState({ health: 'failed', reason });
    return reason !== undefined;
  }

  async send(place: string, part: string, { key, isRepeat, since, isPlain, buttons }: SendKey): Promise<string> {
    return this.call(async ({ steady, once }) => {
      // Slack has no idempotent send, but shows our messages with the key that we put in them.
      const shown = isRepeat && (await findShown(steady, targetOf(place), since, (message) => keyOf(message) === key));
      if (shown) return shown.ts;
      const metadata = { event_type: DELIVERY_EVENT, event_payload: { key } };
      const unfurl = { unfurl_links: false, unfurl_media: false };
      const { ts = '' } = await once.chat.postMessage({
        ...targetOf(place),
        ...written(part, isPlain),
        ...(buttons ? { blocks: blocksOf(part, buttons, isPlain) } : {}),
        metadata,
        ...unfurl,
      });
      return ts;
    });
  }

  async edit(place: string, messageId: string, part: string, isPlain?: boolean, isCard?: boolean): Promise<void> {
    const { channel } = targetOf(place);
    // Blocks that are not mentioned stay.
    const rest = isCard ? { blocks: [] } : {};
    // Whoever shows the next text tries again: waiting here would hold up all chats of the bot.
    await this.call(({ once }) => once.chat.update({ channel, ts: messageId, ...written(part, isPlain), ...rest }));
  }

  /** https://docs.slack.dev/messaging/working-with-files: nothing is shown before the last of its three steps. */
  async sendFile(
    place: string,
    { name, sizeBytes, bytes }: OutboundFile,
    { isRepeat, since }: SendKey,
  ): Promise<string> {
    return this.call(async ({ steady, once }) => {
      const { channel, thread_ts } = targetOf(place);
      const isSame = (message: Shown) =>
        message.bot_id === this.me?.botId && (message.files ?? []).some((file) => file.name === name);
      const shown = isRepeat && (await findShown(steady, targetOf(place), since, isSame));
      if (shown) return shown.ts;
      const ticket = await steady.files.getUploadURLExternal({ filename: name, length: sizeBytes });
      if (!ticket.upload_url || !ticket.file_id) throw new DeliveryError('retry', 'Slack gave no URL for the file');
      await putFile(ticket.upload_url, this.apiUrl, bytes, sizeBytes);
      const files: [{ id: string; title: string }] = [{ id: ticket.file_id, title: name }];
      await once.files.completeUploadExternal(
        thread_ts === undefined ? { files, channel_id: channel } : { files, channel_id: channel, thread_ts },
      );
      return ticket.file_id;
    });
  }

  async download({ reference, name }: InboundFile): Promise<Readable> {
    return this.call(async ({ steady }) => {
      const { file } = await steady.files.info({ file: reference });
      const address = file?.url_private_download ?? file?.url_private;
      if (!address || file?.is_external) throw new DeliveryError('failed', `"${name}" is not kept by Slack`);
      return fetchFile(address, this.apiUrl, this.credentials.token);
    });
  }

  answer(answerTo: string, part: string): Promise<void> {
    return respond(answerTo, this.apiUrl, part);
  }

  /** Slack shows what bots are doing in threads only, and only of apps that may. */
  async showTyping(place: string): Promise<void> {
    const { channel, thread_ts } = targetOf(place);
    if (thread_ts === undefined || !this.canShowStatus) return;
    await this.clients.once.assistant.threads
      .setStatus({ channel_id: channel, thread_ts, status: 'is thinking…' })
      .catch(() => (this.canShowStatus = false));
  }

  async receive(request: WebhookRequest): Promise<WebhookAnswer> {
    return this.inbound.receive(request);
  }

  private async call<T>(work: (clients: SlackClients) => Promise<T>): Promise<T> {
    try {
      return await work(this.clients);
    } catch (error) {
      this.refused(error);
      throw deliveryErrorOf(error);
    }
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.loop;
    await this.socket?.close();
  }
}

/** Plain: Slack still reads its escapes, and nothing else. */
function written(part: string, isPlain = false): { text: string; mrkdwn?: false } {
  return isPlain ? { text: escapeSlack(visibleInSlack(part)), mrkdwn: false } : { text: part };
}

function keyOf({ metadata }: Shown): unknown {
  return metadata?.event_type === DELIVERY_EVENT ? metadata.event_payload?.key : undefined;
}

export function targetOf(place: string): { channel: string; thread_ts?: string } {
  const [channel = '', thread] = place.split('/');
  return { channel, ...(thread ? { thread_ts: thread } : {}) };
}
