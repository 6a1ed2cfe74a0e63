import { Bus, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  type ChannelEntry,
  type ChatPlatform,
  createLinkCode,
  getAgent,
  getChannelStatus,
  listChannels,
  receiveChannelWebhook,
  RoostError,
  unlinkChannel,
  updateBinding,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import type { ChannelAdapter, WebhookAnswer } from './adapters/channel-adapter.js';
import { ADAPTERS } from './adapters/token.js';
import { bindingOf, Bindings } from './bindings/bindings.js';
import { conversationIdOf } from './bindings/conversation-id.js';
import { Bots } from './connections/bots.js';
import { ChannelStates, type ChannelState, linkHealth } from './connections/channel-states.js';
import { heldSubject, type PostedToHolder } from './connections/connections.js';
import { createCode } from './links/create-link-code.js';

/** Slack waits three seconds for its answer. */
const HOLDER_ANSWERS_MS = 2_500;

interface OnPlatform {
  agentId: string;
  platform: ChatPlatform;
}

/** spec: channels.md, "Linking" */
@Controller()
export class ChannelsHandlers {
  constructor(
    private readonly bus: Bus,
    private readonly database: Database,
    private readonly bindings: Bindings,
    private readonly bots: Bots,
    private readonly states: ChannelStates,
    @Inject(ADAPTERS) private readonly adapters: ChannelAdapter[],
  ) {}

  @Handles(createLinkCode)
  async createLinkCode({ agentId, platform }: OnPlatform, context: CallContext) {
    const accountId = accountOf(context);
    const agent = await this.bus.request(getAgent, { agentId });
    if (!this.adapterOf(platform))
      throw new RoostError('CHANNEL_NOT_CONFIGURED', `this version of Roost cannot connect to ${platform} yet`);
    const bot = await this.states.linkable(agent, platform);
    const created = await createCode(this.database, {
      accountId,
      agentId,
      agentName: agent.name,
      platform,
      botId: bot.botId,
    });
    return { ...created, instructions: bot.adapter.linkInstructions(created.code) };
  }

  @Handles(getChannelStatus)
  async status({ agentId, platform }: OnPlatform, context: CallContext) {
    const accountId = accountOf(context);
    const agent = await this.bus.request(getAgent, { agentId });
    const rows = await this.bindings.ofAgent(accountId, agentId, platform);
    const state = await this.states.of(agent, platform);
    const bindings = rows.map((row) => ({ ...bindingOf(row), ...linkHealth(state, row) }));
    const [newest] = bindings;
    if (newest) {
      const { health, healthReason } = newest;
      return { linked: true, binding: newest, bindings, health, ...(healthReason ? { healthReason } : {}) };
    }
    return { linked: false, binding: null, ...healthOf(state) };
  }

  @Handles(unlinkChannel)
  async unlink({ agentId, platform }: OnPlatform, context: CallContext) {
    await this.bindings.removeAll(accountOf(context), agentId, platform);
    return { message: `Unlinked on ${platform}. The history stays.` };
  }

  @Handles(updateBinding)
  async update({ agentId, bindingId, ...change }: z.output<typeof updateBinding.input>, context: CallContext) {
    const row = await this.bindings.change(accountOf(context), agentId, bindingId, change);
    return bindingOf(row);
  }

  @Handles(receiveChannelWebhook)
  async receive({ platform, recipient, headers, bodyBase64 }: z.output<typeof receiveChannelWebhook.input>) {
    const botId = this.bots.receiving(platform, recipient);
    if (botId === undefined) throw new RoostError('NOT_FOUND', 'there is no such bot');
    const posted: PostedToHolder = { headers, bodyBase64 };
    try {
      const answer = await this.bus.connection.request(heldSubject(platform, botId), JSON.stringify(posted), {
        timeout: HOLDER_ANSWERS_MS,
      });
      return answer.json<WebhookAnswer>();
    } catch {
      throw new RoostError('SERVICE_UNAVAILABLE', 'this bot is not connected at the moment', [], 5);
    }
  }

  @Handles(listChannels)
  async list({ agentId }: { agentId: string }, context: CallContext) {
    const accountId = accountOf(context);
    const agent = await this.bus.request(getAgent, { agentId });
    const entry = { id: null, linked: false, counterparty: null, queueMode: null, createdAt: null };
    const channels: ChannelEntry[] = [
      { ...entry, type: 'api', linked: true, health: 'connected', createdAt: agent.createdAt },
    ];
    for (const { platform } of this.adapters) {
      const state = await this.states.of(agent, platform);
      const bindings = await this.bindings.ofAgent(accountId, agentId, platform);
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
