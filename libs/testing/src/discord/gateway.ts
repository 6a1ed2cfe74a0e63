import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { GatewaySession } from './gateway-session.js';
import type { BotApplication, Channel, Message, World } from './world.js';

/** https://docs.discord.com/developers/events/gateway#list-of-intents */
export const Intents = {
  Guilds: 1 << 0,
  GuildMembers: 1 << 1,
  GuildPresences: 1 << 8,
  GuildMessages: 1 << 9,
  DirectMessages: 1 << 12,
  MessageContent: 1 << 15,
} as const;
const PRIVILEGED = Intents.GuildMembers | Intents.GuildPresences | Intents.MessageContent;
const KNOWN_INTENTS = 0x3_31_ff_ff;

interface Frame {
  op: number;
  d?: unknown;
}

/** Discord's gateway v10, JSON, uncompressed: https://docs.discord.com/developers/events/gateway */
export class Gateway {
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: 4_096 });
  private readonly sessions = new Map<string, GatewaySession>();
  heartbeatIntervalMs = 41_250;
  /** Sessions that were identified anew, and those that were resumed. */
  readonly counts = { identified: 0, resumed: 0, rejected: 0 };
  /** Session starts left today; what `GET /gateway/bot` says. */
  remainingStarts = 1_000;
  /** No answer to the next handshakes: the socket is destroyed. */
  refuseHandshakes = 0;

  constructor(private readonly world: World) {}

  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (this.refuseHandshakes > 0) {
        this.refuseHandshakes -= 1;
        socket.destroy();
        return;
      }
      this.sockets.handleUpgrade(request, socket, head, (client) => this.onSocket(client, request.url ?? ''));
    });
  }

  private onSocket(socket: WebSocket, url: string): void {
    const version = new URL(url, 'http://localhost').searchParams.get('v');
    if (version !== '10') return socket.close(4_012, 'Invalid API version.');
    send(socket, { op: 10, d: { heartbeat_interval: this.heartbeatIntervalMs } });
    let session: GatewaySession | undefined;
    let heardAt = Date.now();
    const frames: number[] = [];
    const watch = setInterval(() => {
      if (Date.now() - heardAt > this.heartbeatIntervalMs * 2) socket.close(4_009, 'Session timed out.');
    }, this.heartbeatIntervalMs);
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      clearInterval(watch);
      if (session?.socket !== socket) return;
      session.socket = undefined;
      // "Closing with 1000 or 1001 invalidates the session."
      if (code === 1_000 || code === 1_001) this.sessions.delete(session.id);
    });
    socket.on('message', (data: Buffer) => {
      const now = Date.now();
      frames.push(now);
      while ((frames[0] ?? now) < now - 60_000) frames.shift();
      if (frames.length > 120) return socket.close(4_008, 'You are being rate limited.');
      const frame = frameOf(data);
      if (!frame) return socket.close(4_002, 'Error while decoding payload.');
      if (frame.op === 1) {
        heardAt = now;
        return send(socket, { op: 11 });
      }
      if (frame.op === 2) {
        if (session) return socket.close(4_005, 'Already authenticated.');
        session = this.identify(socket, frame.d as Identify);
      } else if (frame.op === 6) {
        session = this.resume(socket, frame.d as Resume);
      } else if (!session) socket.close(4_003, 'Not authenticated.');
      else if (frame.op !== 3 && frame.op !== 4 && frame.op !== 8) socket.close(4_001, 'Unknown opcode.');
    });
  }

  private identify(socket: WebSocket, d: Identify): GatewaySession | undefined {
    const bot = this.world.botByToken(d.token.replace(/^Bot /, ''));
    const [shard, count] = d.shard ?? [0, 1];
    const intents = d.intents;
    const refuse = (code: number, reason: string) => {
      this.counts.rejected += 1;
      socket.close(code, reason);
      return undefined;
    };
    if (!bot) return refuse(4_004, 'Authentication failed.');
    if (shard >= count) return refuse(4_010, 'Invalid shard.');
    if (typeof intents !== 'number' || (intents & ~KNOWN_INTENTS) !== 0) return refuse(4_013, 'Invalid intents.');
    if (intents & PRIVILEGED & ~bot.privilegedIntents) return refuse(4_014, 'Disallowed intents.');
    this.counts.identified += 1;
    this.remainingStarts -= 1;
    const session = new GatewaySession(bot, intents, [shard, count]);
    session.socket = socket;
    this.sessions.set(session.id, session);
    const guilds = [...this.world.guilds.values()].filter(
      ({ id, bots }) => bots.has(bot.user.id) && Number((BigInt(id) >> 22n) % BigInt(count)) === shard,
    );
    session.dispatch('READY', {
      v: 10,
      user: { ...bot.user, verified: true, mfa_enabled: false, flags: 0, email: null },
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: this.url,
      session_type: 'normal',
      shard: [shard, count],
      application: { id: bot.id, flags: 0 },
    });
    if (intents & Intents.Guilds) for (const guild of guilds) session.dispatch('GUILD_CREATE', this.guildOf(guild.id));
    return session;
  }

  private resume(socket: WebSocket, d: Resume): GatewaySession | undefined {
    if (!this.world.botByToken(d.token.replace(/^Bot /, ''))) {
      this.counts.rejected += 1;
      socket.close(4_004, 'Authentication failed.');
      return undefined;
    }
    const session = this.sessions.get(d.session_id);
    if (!session) {
      send(socket, { op: 9, d: false });
      return undefined;
    }
    if (d.seq > session.sequence) {
      socket.close(4_007, 'Invalid seq.');
      return undefined;
    }
    session.socket?.close(4_000, 'Another connection resumed this session.');
    session.socket = socket;
    this.counts.resumed += 1;
    session.replay(d.seq);
    session.dispatch('RESUMED', {});
    return session;
  }

  url = '';

  guildOf(id: string): object {
    const guild = this.world.guilds.get(id);
    const channels = [...this.world.channels.values()].filter((channel) => channel.guild_id === id);
    return {
      id,
      name: guild?.name,
      owner_id: guild?.owner_id,
      unavailable: false,
      member_count: 2,
      large: false,
      joined_at: new Date().toISOString(),
      channels: channels.filter(({ type }) => type === 0),
      threads: channels.filter(({ type }) => type === 11),
      members: [],
      roles: [{ id, name: '@everyone', permissions: '1071698660929', position: 0, color: 0 }],
      emojis: [],
      stickers: [],
      features: [],
      voice_states: [],
      presences: [],
      stage_instances: [],
      guild_scheduled_events: [],
      soundboard_sounds: [],
    };
  }

  /** Sends to every bot in the channel, as far as its intents go. */
  announce(t: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE' | 'MESSAGE_DELETE', channel: Channel, message: Message): void {
    const needed = channel.type === 1 ? Intents.DirectMessages : Intents.GuildMessages;
    for (const bot of this.world.botsIn(channel)) {
      for (const session of this.sessionsOf(bot)) {
        if (session.intents & needed) session.dispatch(t, seenBy(session, channel, message, t));
      }
    }
  }

  dispatch(bot: BotApplication, t: string, d: unknown): void {
    for (const session of this.sessionsOf(bot)) session.dispatch(t, d);
  }

  sessionsOf(bot: BotApplication): GatewaySession[] {
    return [...this.sessions.values()].filter((session) => session.bot === bot);
  }

  /** Forgets a bot's sessions, so that a resume is answered with op 9. */
  forget(bot: BotApplication): void {
    for (const { id } of this.sessionsOf(bot)) this.sessions.delete(id);
  }

  close(): void {
    for (const client of this.sockets.clients) client.terminate();
    this.sockets.close();
  }
}

interface Identify {
  token: string;
  intents?: number;
  shard?: [number, number];
}

interface Resume {
  token: string;
  session_id: string;
  seq: number;
}

function send(socket: WebSocket, frame: object): void {
  socket.send(JSON.stringify({ s: null, t: null, ...frame }));
}

function frameOf(data: Buffer): Frame | undefined {
  try {
    const frame = JSON.parse(data.toString()) as Partial<Frame>;
    return typeof frame.op === 'number' ? { op: frame.op, d: frame.d } : undefined;
  } catch {
    return undefined;
  }
}

/** Without the Message Content intent a guild's messages are blank, unless they are the bot's own or mention it. */
function seenBy({ bot, intents }: GatewaySession, channel: Channel, message: Message, t: string): object {
  if (t === 'MESSAGE_DELETE') {
    return { id: message.id, channel_id: channel.id, ...(channel.guild_id ? { guild_id: channel.guild_id } : {}) };
  }
  const mayRead =
    channel.type === 1 ||
    (intents & Intents.MessageContent) !== 0 ||
    message.author.id === bot.user.id ||
    message.mentions.some(({ id }) => id === bot.user.id);
  const { nonce, ...rest } = message;
  const seen = {
    ...rest,
    channel_type: channel.type,
    ...(nonce !== undefined && message.author.id === bot.user.id ? { nonce } : {}),
  };
  return mayRead ? seen : { ...seen, content: '', attachments: [], embeds: [] };
}
