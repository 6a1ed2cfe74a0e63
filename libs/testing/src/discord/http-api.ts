import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { networkDelay } from '../network-delay.js';
import { ApiError, unauthorized, unknown } from './api-error.js';
import type { Gateway } from './gateway.js';
import type { Interactions } from './interactions.js';
import type { Messages } from './messages.js';
import { RateLimits } from './rate-limits.js';
import { type ApiRequest, type ApiResponse, bodyOf, contentOf } from './request.js';
import type { World } from './world.js';

type Handler = (request: ApiRequest) => ApiResponse;

interface Route {
  name: string;
  pattern: RegExp;
  handle: Handler;
  /** Interaction callbacks and their webhooks carry their own token. */
  isOpen?: boolean;
}

/** What goes wrong on purpose: a status, a request that takes long, or the socket is destroyed before or after it took effect. */
export interface Fault {
  route: RegExp;
  times: number;
  what: { status: number } | { lateMs: number } | 'drop before' | 'drop after';
}

/** Discord's HTTP API v10, as far as a chat bot needs it: https://docs.discord.com/developers/reference */
export class HttpApi {
  readonly server: Server = createServer((request, response) => {
    void this.answer(request, response);
  });
  readonly rateLimits = new RateLimits();
  readonly faults: Fault[] = [];
  /** `METHOD /route` of every request, in order. */
  readonly requests: string[] = [];
  latencyMs = 0;
  private readonly routes: Route[] = [];

  constructor(
    private readonly world: World,
    private readonly gateway: Gateway,
    private readonly messages: Messages,
    private readonly interactions: Interactions,
  ) {
    this.addRoutes();
  }

  private route(name: string, handle: Handler, isOpen = false): void {
    const [method, path = ''] = name.split(' ');
    const pattern = path.replaceAll(/:\w+/g, '([^/]+)');
    this.routes.push({ name, pattern: new RegExp(`^${method} ${pattern}$`), handle, isOpen });
  }

  private addRoutes(): void {
    const { world, gateway, messages, interactions } = this;
    const ok = (body: unknown) => ({ status: 200, body });
    const done = { status: 204 };
    this.route('GET /gateway', () => ok({ url: gateway.url }));
    this.route('GET /gateway/bot', () =>
      ok({
        url: gateway.url,
        shards: 1,
        session_start_limit: {
          total: 1_000,
          remaining: gateway.remainingStarts,
          reset_after: 86_400_000,
          max_concurrency: 1,
        },
      }),
    );
    this.route('GET /users/@me', ({ bot }) => ok(bot.user));
    this.route('GET /users/:id', ({ params }) => {
      const user = world.users.get(params[0] ?? '');
      if (!user) throw unknown('User', 10_013);
      return ok(user);
    });
    for (const path of ['/applications/@me', '/oauth2/applications/@me']) {
      this.route(`GET ${path}`, ({ bot }) => ok({ id: bot.id, name: bot.user.username, bot: bot.user, flags: 0 }));
    }
    this.route('POST /users/@me/channels', ({ bot, body }) => {
      const channel = world.dmOf(bot, String(body['recipient_id']));
      if (!channel) throw new ApiError(400, 50_033, 'Invalid Recipient(s)');
      return ok(world.channelFor(bot, channel));
    });
    this.route('GET /guilds/:id/roles', ({ bot, params: [id = ''] }) => {
      const { bots } = world.guilds.get(id) ?? {};
      if (!bots?.has(bot.user.id)) throw unknown('Guild', 10_004);
      const everyone = { id, name: '@everyone', managed: false, mentionable: false };
      const own = [...bots].map(([botId, roleId]) => ({
        ...{ id: roleId, name: world.users.get(botId)?.username ?? '', managed: true, mentionable: false },
        tags: { bot_id: botId },
      }));
      return ok([everyone, ...own]);
    });
    this.route('GET /channels/:id', ({ bot, params }) =>
      ok(world.channelFor(bot, messages.channelFor(bot.user, params[0]))),
    );
    this.route('GET /channels/:id/messages', (request) => ok(messages.list(request)));
    this.route('GET /channels/:id/messages/:id', ({ bot, params }) =>
      ok(messages.messageOf(messages.channelFor(bot.user, params[0]), params[1])),
    );
    this.route('POST /channels/:id/messages', (request) => ok(messages.create(request)));
    this.route('PATCH /channels/:id/messages/:id', (request) => ok(messages.edit(request)));
    this.route('DELETE /channels/:id/messages/:id', (request) => {
      messages.remove(request);
      return done;
    });
    this.route('POST /channels/:id/typing', ({ bot, params }) => {
      messages.typing.push(messages.channelFor(bot.user, params[0]).id);
      return done;
    });
    for (const method of ['PUT', 'DELETE']) {
      this.route(`${method} /channels/:id/messages/:id/reactions/:emoji/@me`, ({ bot, params }) => {
        const message = messages.messageOf(messages.channelFor(bot.user, params[0]), params[1]);
        messages.reactions.push(`${method} ${message.id} ${params[2]}`);
        return done;
      });
    }
    for (const path of ['/channels/:id/threads', '/channels/:id/messages/:id/threads']) {
      this.route(`POST ${path}`, ({ bot, params, body }) => {
        const parent = messages.channelFor(bot.user, params[0]);
        const { guild_id } = parent;
        if (!guild_id) throw new ApiError(400, 50_024, 'Cannot execute action on this channel type');
        const name = String(body['name']);
        const thread = world.addChannel({ type: 11, name, guild_id, parent_id: parent.id });
        gateway.dispatch(bot, 'THREAD_CREATE', { ...thread, newly_created: true });
        return { status: 201, body: thread };
      });
    }
    this.route('GET /applications/:id/commands', ({ bot }) => ok(bot.commands));
    this.route('PUT /applications/:id/commands', (request) => ok(interactions.overwrite(request)));
    this.route(
      'POST /interactions/:id/:token/callback',
      (request) => {
        interactions.callback(request);
        return done;
      },
      true,
    );
    this.route('POST /webhooks/:id/:token', (request) => ok(interactions.followUp(request)), true);
    this.route('PATCH /webhooks/:id/:token/messages/:id', (request) => ok(interactions.edit(request)), true);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = (status: number, body?: unknown, headers: Record<string, string> = {}) => {
      const hasBody = body !== undefined;
      response.writeHead(status, { ...(hasBody ? { 'content-type': 'application/json' } : {}), ...headers });
      response.end(hasBody ? JSON.stringify(body) : undefined);
    };
    let headers: Record<string, string> = {};
    try {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (url.pathname.startsWith('/attachments/')) return this.download(url.pathname, response);
      const bytes = await bodyOf(request);
      await networkDelay();
      if (this.latencyMs > 0) await sleep(this.latencyMs);
      const path = /^\/api\/v10(\/.*)$/.exec(url.pathname)?.[1] ?? '';
      const asked = `${request.method} ${path}`;
      const route = this.routes.find(({ pattern }) => pattern.test(asked));
      this.requests.push(route?.name ?? asked);
      if (!route) throw new ApiError(404, 0, '404: Not Found');
      const fault = this.faults.find((candidate) => candidate.times > 0 && candidate.route.test(route.name));
      if (fault) fault.times -= 1;
      if (fault?.what === 'drop before') return void request.socket.destroy();
      if (fault && typeof fault.what === 'object') {
        if ('status' in fault.what) return reply(fault.what.status, { message: 'fault', code: 0 });
        await sleep(fault.what.lateMs);
      }
      const params = (route.pattern.exec(asked)?.slice(1) ?? []).map(decodeURIComponent);
      const token = /^Bot (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      const bot = this.world.botByToken(token) ?? (route.isOpen ? [...this.world.bots.values()][0] : undefined);
      if (!bot) throw unauthorized();
      const verdict = this.rateLimits.take(bot.id, route.name, params[0] ?? '');
      headers = verdict.headers;
      if (verdict.refusal) {
        const { retryAfterSeconds, isGlobal } = verdict.refusal;
        const body = { message: 'You are being rate limited.', retry_after: retryAfterSeconds, global: isGlobal };
        return reply(429, body, headers);
      }
      const content = await contentOf(request.headers['content-type'] ?? '', bytes);
      const answer = route.handle({ bot, params, query: url.searchParams, ...content });
      if (fault?.what === 'drop after') return void request.socket.destroy();
      reply(answer.status, answer.body, headers);
    } catch (error) {
      if (error instanceof ApiError) reply(error.status, error.body, headers);
      else reply(500, { message: String(error), code: 0 });
    }
  }

  /** The content delivery network, where attachments are. */
  private download(pathname: string, response: ServerResponse): void {
    const file = this.world.files.get(pathname.slice('/attachments/'.length));
    if (!file) {
      response.writeHead(404).end('This content is no longer available.');
      return;
    }
    const { length } = file.data;
    response.writeHead(200, { 'content-type': file.type || 'application/octet-stream', 'content-length': length });
    response.end(file.data);
  }
}
