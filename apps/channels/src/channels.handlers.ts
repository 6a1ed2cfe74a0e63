import { accountOf, Bus, type CallContext, Handles } from '#lib/bus';
import {
  type ChannelEntry,
  type ChannelHealth,
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
import { bindingOf, type BindingRow, Bindings, unreachableReason } from './bindings/bindings.js';
import { conversationIdOf } from './bindings/conversation-id.js';
import { Bots } from './connections/bots.js';
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
    @Inject(ADAPTERS) private readonly adapters: ChannelAdapter[],
  ) {}

  @Handles(createLinkCode)
  async createLinkCode({ agentId, platform }: OnPlatform, context: CallContext) {
    const accountId = accountOf(context);
    const agent = await this.bus.request(getAgent, { agentId });
    const bot = await this.botOf(agentId, platform);
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
    await this.bus.request(getAgent, { agentId });
    const rows = await this.bindings.ofAgent(accountId, agentId, platform);
    const bindings = rows.map(bindingOf);
    const [newest] = bindings;
    return newest ? { linked: true, binding: newest, bindings } : { linked: false, binding: null };
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
      const health = await this.healthOf(agentId, platform);
      const bindings = await this.bindings.ofAgent(accountId, agentId, platform);
      if (bindings.length === 0) channels.push({ ...entry, type: platform, ...health });
      for (const row of bindings) {
        channels.push({
          type: platform,
          id: row.id,
          linked: true,
          counterparty: row.username ?? row.user_id,
          conversationId: conversationIdOf({ platform, botId: row.bot_id, place: row.place }),
          queueMode: row.queue_mode,
          createdAt: row.created_at,
          ...health,
          ...unreachable(row),
        });
      }
    }
    return { channels };
  }

  private async healthOf(agentId: string, platform: ChatPlatform) {
    const bot = this.bots.ofAgent(agentId, platform);
    if (!bot) return { health: 'not_configured' as const };
    const [lease] = await this.database.query<{ health: ChannelHealth; reason: string | null }>(
      `SELECT CASE WHEN expires_at > now() THEN health ELSE 'connecting' END AS health, reason
         FROM connection_leases WHERE platform = $1 AND bot_id = $2`,
      [platform, bot.botId],
    );
    return {
      health: lease?.health ?? ('connecting' as const),
      ...(lease?.reason ? { healthReason: lease.reason } : {}),
    };
  }

  private adapterOf(platform: ChatPlatform): ChannelAdapter | undefined {
    return this.adapters.find((adapter) => adapter.platform === platform);
  }

  private async botOf(agentId: string, platform: ChatPlatform) {
    const adapter = this.adapterOf(platform);
    if (!adapter) {
      throw new RoostError('CHANNEL_NOT_CONFIGURED', `this version of Roost cannot connect to ${platform} yet`);
    }
    // The agent's own token may have been set a moment ago.
    await this.bots.refresh();
    const bot = this.bots.ofAgent(agentId, platform);
    if (bot) return bot;
    const field = `${platform}_bot_token`;
    throw new RoostError('CHANNEL_NOT_CONFIGURED', `there is no ${platform} bot; set ${field} of the agent`, [
      { field, reason: 'required' },
    ]);
  }
}

/** A group that is out of reach does not fail the person's own chat. */
function unreachable(row: BindingRow) {
  if (row.unreachable_reason === null) return {};
  const healthReason = unreachableReason(row);
  return row.unreachable_place === row.place ? { health: 'failed' as const, healthReason } : { healthReason };
}
