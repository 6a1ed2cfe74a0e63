import { Bus, type RunningService } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { serve } from '#lib/rpc';
import {
  type AgentBots,
  type ChatPlatform,
  createLinkCode,
  getAgent,
  listAgentBots,
  liveSubject,
  messageCompleted,
  perPlatform,
  type RoostError,
  sendMessage,
  turnInterrupted,
} from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { freshBus, freshDatabase, until, publishEvent } from '#lib/testing';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { start } from '../src/main.js';

export type Sent = z.output<typeof sendMessage.input> & { id: string };

/** The service `channels` with what it needs around it; with doubles of messaging and lifecycle. */
export class ChannelsFixture {
  readonly accountId = newId();
  readonly agentId = newId();
  readonly sent: Sent[] = [];
  /** Texts that messaging does not take, and why. */
  readonly refusals = new Map<string, RoostError>();
  readonly replicas: RunningService[] = [];
  /** The agents' bots, as lifecycle returns them. */
  bots: AgentBots[];

  private constructor(
    private readonly postgres: Awaited<ReturnType<typeof freshDatabase>>,
    private readonly nats: Awaited<ReturnType<typeof freshBus>>,
    readonly bus: Bus,
    private readonly variables: Record<string, string>,
    readonly rows: Database,
    token: Partial<AgentBots>,
  ) {
    this.bots = [{ agentId: this.agentId, accountId: this.accountId, name: 'Robin', ...token }];
    const fail = (error: unknown) => console.error(error);
    serve(bus.connection, listAgentBots, listAgentBots.subject, () => ({ bots: this.bots }), fail);
    serve(bus.connection, getAgent, getAgent.subject, ({ agentId }) => this.agent(agentId), fail);
    serve(bus.connection, sendMessage, sendMessage.subject, (input) => this.accept(input), fail);
  }

  static async open(variables: Record<string, string>, token: Partial<AgentBots>): Promise<ChannelsFixture> {
    const [postgres, nats] = await Promise.all([freshDatabase(), freshBus('channels')]);
    const bus = new Bus(await nats.connect(), 'test');
    // The service's own migrations make the schema; this connection only reads.
    const rows = await Database.open({ url: postgres.url, schema: 'channels', migrations: [], poolSize: 3 });
    return new ChannelsFixture(postgres, nats, bus, variables, rows, token);
  }

  private get environment(): Record<string, string> {
    return {
      NATS_URL: this.nats.url,
      NATS_CREDS: this.nats.serviceCreds,
      DATABASE_URL: this.postgres.url,
      DATABASE_POOL_SIZE: '4',
      ...this.variables,
    };
  }

  async startReplica(): Promise<RunningService> {
    const service = await start(this.environment);
    this.replicas.push(service);
    return service;
  }

  /** A replica as a process of its own, for kill -9. */
  async spawnReplica(): Promise<{ kill(): Promise<void> }> {
    const program = fileURLToPath(new URL('../../../dist/apps/channels/src/main.js', import.meta.url));
    const env = { PATH: process.env['PATH'], ...this.environment };
    const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await Promise.race([
      new Promise((resolve) => child.stdout.once('data', resolve)),
      exited.then(() => Promise.reject(new Error('the process did not start'))),
    ]);
    return {
      async kill() {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }

  private call() {
    return { ...ownCall('req_test'), accountId: this.accountId };
  }

  async code(platform: ChatPlatform, agentId = this.agentId): Promise<string> {
    return (await this.bus.request(createLinkCode, { agentId, platform }, this.call())).code;
  }

  request: Bus['request'] = (contract, input) => this.bus.request(contract, input, this.call());

  queued(content: string): Promise<Sent> {
    return until(`"${content}" is queued`, () => this.sent.find((message) => message.content === content));
  }

  /** As messaging would: the event that a turn is answered, from another service's outbox. */
  complete(answered: Sent | Sent[], reply: string, turnId = newId()): Promise<void> {
    const batch = [answered].flat();
    const [message] = batch;
    if (!message) throw new Error('a turn answers something');
    const base = {
      metadata: {},
      status: 'read',
      channel: message.channel,
      queueMode: null,
      conversationId: message.conversationId,
      replyToId: null,
      createdAt: new Date(),
      deliveredAt: null,
      readAt: null,
      error: null,
    } as const;
    const event: z.output<typeof messageCompleted.payload> = {
      accountId: this.accountId,
      agentId: message.agentId,
      turnId,
      messages: batch.map(({ id, channel, content }) => ({ ...base, id, role: 'user', channel, content })),
      replies: [{ ...base, id: `msg_${newId()}`, role: 'assistant', content: reply }],
      usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 },
    };
    return publishEvent(this.bus.connection, messageCompleted, event);
  }

  /** Publishes the event that a turn was interrupted. */
  interrupt({ id, agentId, conversationId }: Sent, partialReply: string, turnId: string): Promise<void> {
    const turn = { accountId: this.accountId, agentId, turnId, messageIds: [id], conversationId, partialReply };
    return publishEvent(this.bus.connection, turnInterrupted, turn);
  }

  /** As a worker would: what a turn is writing. */
  live(message: Sent, turnId: string, type: 'text.delta' | 'turn.restarted', seq: number, text = ''): void {
    const turn = { agent_id: message.agentId, turn_id: turnId, message_id: message.id };
    this.bus.signal(liveSubject(message.agentId), { type, ...turn, seq, text });
  }

  private accept(input: z.output<typeof sendMessage.input>) {
    const refusal = this.refusals.get(input.content);
    if (refusal) throw refusal;
    const known = this.sent.find((message) => message.dedupeKey === input.dedupeKey);
    const message = known ?? { ...input, id: `msg_${newId()}` };
    if (!known) this.sent.push(message);
    const { id, content, channel, queueMode, conversationId } = message;
    const asked = { id, content, channel, queueMode, conversationId };
    return { ...asked, role: 'user' as const, metadata: {}, status: 'pending' as const, createdAt: new Date() };
  }

  private agent(id: string): z.output<typeof getAgent.output> {
    const bot = this.bots.find(({ agentId }) => agentId === id);
    return {
      id,
      uuid: id,
      name: bot?.name ?? 'nobody',
      description: null,
      status: 'active',
      version: 1,
      statusReason: null,
      createdAt: new Date(),
      updatedAt: new Date(),
      pvcSize: '1Gi',
      sessionMode: 'ephemeral',
      warmthWindowMs: 300_000,
      outputTokenBalance: 1,
      configuration: {},
      systemPrompt: null,
      systemPromptType: 'append',
      mcpServers: [],
      filesystemSummary: null,
      ...perPlatform('BotConfigured', (platform) => bot?.[`${platform}BotToken`] !== undefined),
      providerKeysConfigured: [],
    };
  }

  async close(): Promise<void> {
    for (const replica of this.replicas.splice(0)) await replica.stop();
    await this.rows.close();
    await this.bus.connection.close();
    this.nats.release();
    await this.postgres.drop();
  }
}
