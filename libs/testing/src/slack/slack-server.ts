import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { networkDelay } from '../network-delay.js';
import { SlackHistory, type ShownInSlack } from './slack-history.js';
import { SlackSockets } from './slack-sockets.js';

export type { ShownInSlack } from './slack-history.js';

type Values = Record<string, string>;
type Answer = Record<string, unknown> & { ok: boolean };
/** What comes instead of an answer; `after`: the call is carried out, only its answer is lost. */
export type SlackFault = { error: string } | { status: number } | { retryAfter: number } | { drop: 'before' | 'after' };

interface App {
  botToken: string;
  appToken: string;
  signingSecret: string;
  botUser: string;
}

/**
 * The part of Slack that bots here use, after https://docs.slack.dev: Web API methods over HTTP, Socket Mode with hello,
 * envelopes, acknowledgements, redelivery and refresh, signed posts to request URLs, files in both directions. Tokens it
 * does not know are refused as revoked.
 */
export class SlackPlatform {
  readonly history = new SlackHistory();
  readonly sockets = new SlackSockets();
  /** What slash commands were answered, by response URL. */
  readonly responses: { url: string; text: string }[] = [];
  readonly statuses: { channel: string; thread: string; status: string }[] = [];
  /** By method; each is used once. */
  readonly faults: Record<string, SlackFault[]> = {};
  /** How often each method was called. */
  readonly calls: Record<string, number> = {};
  /** Files are handed out when this resolves. */
  filesReady: Promise<void> = Promise.resolve();
  /** How often a person's file was asked for. */
  filesAsked = 0;
  private readonly apps = new Map<string, App>();
  private readonly files = new Map<string, { name: string; bytes: Buffer; isUploaded: boolean }>();
  private readonly server: Server;
  private nextId = 1;

  private constructor() {
    this.server = createServer((request, response) => {
      networkDelay()
        .then(() => this.answer(request, response))
        .catch(() => response.destroy());
    });
    this.server.on('upgrade', (request, socket, head) => this.sockets.upgrade(request, socket, head));
  }

  static async start(): Promise<SlackPlatform> {
    const platform = new SlackPlatform();
    platform.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => platform.server.once('listening', resolve));
    return platform;
  }

  private get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** For `SLACK_API_BASE_URL`. */
  get url(): string {
    return `${this.origin}/api/`;
  }

  addApp(app: Partial<App> = {}): App {
    const n = this.nextId++;
    const whole = {
      botToken: `xoxb-1000${n}-2000${n}-secret${n}`,
      appToken: `xapp-1-A${n}-secret`,
      signingSecret: `signing-secret-${n}`,
      botUser: `UBOT${n}`,
      ...app,
    };
    this.apps.set(whole.botToken, whole);
    return whole;
  }

  /** As when an app is taken out of a workspace: every token of it is refused, its sockets end. */
  revoke({ botToken, appToken }: App): void {
    this.apps.delete(botToken);
    this.sockets.drop(appToken);
  }

  /** The bot's own chat with a person. */
  directChannel(userId: string): string {
    return `D${userId.slice(1)}`;
  }

  /** The event of a person's message; gives its body, to be delivered again. */
  message(userId: string, text: string, more: Record<string, unknown> = {}): Record<string, unknown> {
    const channel = typeof more['channel'] === 'string' ? more['channel'] : this.directChannel(userId);
    const kind = channel.startsWith('D') ? 'im' : 'channel';
    const ts = this.history.nextTs();
    const event = { type: 'message', user: userId, text, ts, channel, channel_type: kind, ...more };
    return { type: 'event_callback', team_id: 'T1', event_id: `Ev${this.nextId++}`, event };
  }

  slashCommand(userId: string, command: string, text: string, channel = this.directChannel(userId)): Values {
    return {
      command,
      text,
      user_id: userId,
      user_name: userId.toLowerCase(),
      channel_id: channel,
      team_id: 'T1',
      trigger_id: randomUUID(),
      response_url: `${this.origin}/respond/${randomUUID()}`,
    };
  }

  /** The payload of a press of a button; `ts` names the message. */
  press(userId: string, { channel, ts, thread }: Pick<ShownInSlack, 'channel' | 'ts' | 'thread'>, value: string) {
    return {
      type: 'block_actions',
      user: { id: userId, username: userId.toLowerCase(), team_id: 'T1' },
      channel: { id: channel, name: 'x' },
      container: { type: 'message', message_ts: ts, channel_id: channel },
      message: { type: 'message', ts, ...(thread === undefined ? {} : { thread_ts: thread }) },
      trigger_id: randomUUID(),
      response_url: `${this.origin}/respond/${randomUUID()}`,
      actions: [{ type: 'button', action_id: 'x', block_id: 'y', value, action_ts: ts }],
    };
  }

  /** Posts to a request URL, signed as Slack does: an event as JSON, a slash command as a form. */
  async post(app: App, url: string, body: Record<string, unknown>, at = Date.now()): Promise<Response> {
    const isCommand = 'command' in body;
    const isPress = body['type'] === 'block_actions';
    const isForm = isCommand || isPress;
    const form = isPress ? { payload: JSON.stringify(body) } : (body as Values);
    const text = isForm ? new URLSearchParams(form).toString() : JSON.stringify(body);
    const timestamp = String(Math.floor(at / 1_000));
    const signature = createHmac('sha256', app.signingSecret).update(`v0:${timestamp}:${text}`).digest('hex');
    return fetch(url, {
      method: 'POST',
      headers: {
        'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${signature}`,
      },
      body: text,
    });
  }

  /** A file of a person, as it stands in a message's `files`. */
  file(name: string, bytes: Buffer, size = bytes.length): object {
    const id = `F${this.nextId++}`;
    this.files.set(id, { name, bytes, isUploaded: true });
    return { id, name, size };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    const [, area = '', name = ''] = /^\/(api|files|upload|respond)\/([\w.-]+)/.exec(url) ?? [];
    const app = this.apps.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    const body = await buffer(request);
    if (area === 'files') {
      this.filesAsked += 1;
      await this.filesReady;
      const file = app && this.files.get(name);
      response.writeHead(file ? 200 : 403).end(file?.bytes);
    } else if (area === 'upload') {
      const file = this.files.get(name);
      if (file) Object.assign(file, { bytes: body, isUploaded: true });
      response.writeHead(file ? 200 : 404).end('OK');
    } else if (area === 'respond') {
      const { text } = JSON.parse(body.toString('utf8')) as { text: string };
      this.responses.push({ url: `${this.origin}${url}`, text });
      response.writeHead(200).end('ok');
    } else await this.method(name, request, Object.fromEntries(new URLSearchParams(body.toString('utf8'))), response);
  }

  private async method(
    name: string,
    request: IncomingMessage,
    values: Values,
    response: ServerResponse,
  ): Promise<void> {
    this.calls[name] = (this.calls[name] ?? 0) + 1;
    const fault = this.faults[name]?.shift();
    if (fault && 'drop' in fault && fault.drop === 'before') return void response.destroy();
    if (fault && 'status' in fault) return void response.writeHead(fault.status).end('down');
    if (fault && 'retryAfter' in fault)
      return void response.writeHead(429, { 'retry-after': String(fault.retryAfter) }).end('{"ok":false}');
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? values['token'] ?? '';
    const answer = fault && 'error' in fault ? { ok: false, error: fault.error } : this.call(name, token, values);
    if (fault && 'drop' in fault) return void response.destroy();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  private call(method: string, token: string, values: Values): Answer {
    if (method === 'apps.connections.open') {
      const owner = [...this.apps.values()].find(({ appToken }) => appToken === token);
      const url = owner && this.sockets.ticket(token, this.origin.replace('http:', 'ws:'));
      return url ? { ok: true, url } : { ok: false, error: 'invalid_auth' };
    }
    const app = this.apps.get(token);
    if (!app) return { ok: false, error: token ? 'token_revoked' : 'not_authed' };
    const text = (field: string) => values[field] ?? '';
    switch (method) {
      case 'auth.test':
        return { ok: true, user_id: app.botUser, bot_id: `B${app.botUser}`, team_id: 'T1', team: 'Test' };
      case 'users.info': {
        const name = text('user').toLowerCase();
        return { ok: true, user: { id: text('user'), name, profile: { display_name: `Person ${name}` } } };
      }
      case 'conversations.open':
        return { ok: true, channel: { id: this.directChannel(text('users')) } };
      case 'chat.postMessage':
        return this.history.post(`B${app.botUser}`, values);
      case 'chat.update':
        return this.history.update(values);
      case 'conversations.history':
      case 'conversations.replies':
        return this.history.list(text('channel'), values['ts'], text('oldest'));
      case 'assistant.threads.setStatus':
        this.statuses.push({ channel: text('channel_id'), thread: text('thread_ts'), status: text('status') });
        return { ok: true };
      case 'files.getUploadURLExternal': {
        if (!(Number(values['length']) > 0)) return { ok: false, error: 'invalid_arguments' };
        const id = `F${this.nextId++}`;
        this.files.set(id, { name: text('filename'), bytes: Buffer.alloc(0), isUploaded: false });
        return { ok: true, upload_url: `${this.origin}/upload/${id}`, file_id: id };
      }
      case 'files.completeUploadExternal':
        return this.completeUpload(`B${app.botUser}`, values);
      case 'files.info': {
        const file = this.files.get(text('file'));
        if (!file) return { ok: false, error: 'file_not_found' };
        const address = `${this.origin}/files/${text('file')}`;
        return { ok: true, file: { id: text('file'), name: file.name, url_private_download: address } };
      }
      default:
        return { ok: false, error: 'unknown_method' };
    }
  }

  private completeUpload(botId: string, values: Values): Answer {
    const refused = this.history.refusing.get(values['channel_id'] ?? '');
    if (refused !== undefined) return { ok: false, error: refused };
    const wanted = JSON.parse(values['files'] ?? '[]') as { id: string }[];
    const found = wanted.map(({ id }) => this.files.get(id));
    if (found.some((file) => !file?.isUploaded)) return { ok: false, error: 'file_not_found' };
    for (const file of found) if (file) this.history.share(botId, values, file);
    return { ok: true, files: wanted };
  }

  /** What a channel shows, oldest first. */
  shownIn(channel: string): ShownInSlack[] {
    return this.history.messages.filter((message) => message.channel === channel);
  }

  async stop(): Promise<void> {
    this.sockets.stop();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
