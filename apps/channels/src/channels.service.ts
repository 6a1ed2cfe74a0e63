import { givenFields, recordAudit } from '#lib/audit';
import { Bus } from '#lib/bus';
import {
  type ChannelEntry,
  type ChatPlatform,
  getAgent,
  type receiveChannelWebhook,
  RoostError,
  type updateBinding,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ADAPTERS, type ChannelAdapter, type WebhookAnswer } from './adapters/channel-adapter.js';
import { bindingOf, bindingsOfAgent, changeBinding, deleteBindings } from './bindings/bindings.repository.js';
import { conversationIdOf } from './bindings/conversation-id.js';
import { BotsService } from './connections/bots.service.js';
import { type ChannelState, ChannelStatesService, linkHealth } from './connections/channel-states.service.js';
import { holderSubject, type PostedToHolder } from './connections/connections.service.js';
import { LinkCodesService } from './links/link-codes.service.js';

/** Slack waits three seconds for its answer. */
const HOLDER_ANSWERS_MS = 2_500;

/** An agent's channels: links, health, and what platforms post. */
@Injectable()
export class ChannelsService {
  constructor(
    private readonly bus: Bus,
    private readonly database: Database,
    private readonly codes: LinkCodesService,
    private readonly bots: BotsService,
    private readonly states: ChannelStatesService,
    @Inject(ADAPTERS) private readonly adapters: ChannelAdapter[],
  ) {}

  /** Errors: CHANNEL_NOT_CONFIGURED. */
  async createLinkCode(accountId: string, agentId: string, platform: ChatPlatform) {
    const agent = await this.bus.request(getAgent, { agentId });
    if (!this.adapterOf(platform))
      throw new RoostError('CHANNEL_NOT_CONFIGURED', `this version of Roost cannot connect to ${platform} yet`);
    const bot = await this.states.linkable(agent, platform);
    const target = { accountId, agentId, agentName: agent.name, platform, botId: bot.botId };
    const created = await this.codes.create(target);
    return { ...created, instructions: bot.adapter.linkInstructions(created.code) };
  }

  async status(accountId: string, agentId: string, platform: ChatPlatform) {
    const agent = await this.bus.request(getAgent, { agentId });
    const rows = await bindingsOfAgent(this.database, accountId, agentId, platform);
    const state = await this.states.of(agent, platform);
    const bindings = rows.map((row) => ({ ...bindingOf(row), ...linkHealth(state, row) }));
    const [newest] = bindings;
    if (newest) {
      const { health, healthReason } = newest;
      return { linked: true, binding: newest, bindings, health, ...(healthReason ? { healthReason } : {}) };
    }
    return { linked: false, binding: null, ...healthOf(state) };
  }

  async unlink(accountId: string, agentId: string, platform: ChatPlatform) {
    await this.database.transaction(async (tx) => {
      await deleteBindings(tx, accountId, agentId, platform);
      const target = { type: 'agent', id: agentId };
      await recordAudit(tx, { action: 'channel.unlinked', target, fields: [platform] });
    });
    return { message: `Unlinked on ${platform}. The history stays.` };
  }

  /** Errors: NOT_FOUND. */
  async updateBinding(
    key: { accountId: string; agentId: string; id: string },
    change: Pick<z.output<typeof updateBinding.input>, 'queueMode' | 'listen'>,
  ) {
    return this.database.transaction(async (tx) => {
      const target = { type: 'channel', id: key.id };
      await recordAudit(tx, { action: 'channel.updated', target, fields: givenFields(change) });
      return bindingOf(await changeBinding(tx, key, change));
    });
  }

  /** What a platform posted goes to the replica that holds the bot. Errors: NOT_FOUND, SERVICE_UNAVAILABLE. */
  async receive({ platform, recipient, headers, bodyBase64 }: z.output<typeof receiveChannelWebhook.input>) {
    const botId = this.bots.receiving(platform, recipient);
    if (botId === undefined) throw new RoostError('NOT_FOUND', 'there is no such bot');
    const posted: PostedToHolder = { headers, bodyBase64 };
    try {
      const answer = await this.bus.connection.request(holderSubject(platform, botId), JSON.stringify(posted), {
        timeout: HOLDER_ANSWERS_MS,
      });
      return answer.json<WebhookAnswer>();
    } catch {
      throw new RoostError('SERVICE_UNAVAILABLE', 'this bot is not connected at the moment', [], 5);
    }
  }

  async list(accountId: string, agentId: string) {
    const agent = await this.bus.request(getAgent, { agentId });
    const entry = { id: null, linked: false, counterparty: null, queueMode: null, createdAt: null };
    const channels: ChannelEntry[] = [
      { ...entry, type: 'api', linked: true, health: 'connected', createdAt: agent.createdAt },
    ];
    for (const { platform } of this.adapters) {
      const state = await this.states.of(agent, platform);
      const bindings = await bindingsOfAgent(this.database, accountId, agentId, platform);
      if (bindings.length === 0) channels.push({ ...entry, type: platform, ...healthOf(state) });
      for (const row of bindings) {
        channels.push({
          type: platform,
          id: row.id,
          linked: true,
          counterparty: row.username ?? row.user_id,
          conversationId: conversationIdOf({ platform, botId: row.bot_id, place: row.place }),
          queueMode: row.queue_mode,
          createdAt: row.created_at,
          ...linkHealth(state, row),
        });
      }
    }
    return { channels };
  }

  private adapterOf(platform: ChatPlatform): ChannelAdapter | undefined {
    return this.adapters.find((adapter) => adapter.platform === platform);
  }
}

function healthOf({ health, healthReason }: ChannelState) {
  return { health, ...(healthReason ? { healthReason } : {}) };
}
