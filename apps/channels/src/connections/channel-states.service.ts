import { type Agent, channelFailed, type ChannelHealth, type ChatPlatform, RoostError } from '#lib/contracts';
import { Database, storableText } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { BotCredentials, ConnectionState } from '../adapters/channel-adapter.js';
import { type BindingRow, unreachableReason } from '../bindings/bindings.repository.js';
import { type AgentBot, type Bot, BotsService } from './bots.service.js';
import { type Lease, lockLease, setState, stateOfLease } from './leases.repository.js';

interface Health {
  health: ChannelHealth;
  healthReason?: string;
}

export interface ChannelState extends Health {
  /** Absent: `not_configured`. */
  bot?: AgentBot;
}

/**
 * What is true now of an agent's bot on a platform. The status, the making of a link code and the agent's list of
 * channels are answered from here alone, so that they agree.
 */
@Injectable()
export class ChannelStatesService {
  constructor(
    private readonly database: Database,
    private readonly bots: BotsService,
  ) {}

  async of(agent: Agent, platform: ChatPlatform): Promise<ChannelState> {
    let bot = this.bots.ofAgent(agent.id, platform);
    // A token that was set or taken away a moment ago: the event of it is on its way.
    if (agent[`${platform}BotConfigured`] !== (bot?.isOwn ?? false)) {
      await this.bots.refresh();
      bot = this.bots.ofAgent(agent.id, platform);
    }
    if (!bot) return { health: 'not_configured' };
    const lease = await stateOfLease(this.database, platform, bot.botId);
    // A refusal is of the credentials that were tried: new ones are not refused before they are.
    if (!lease || (lease.health === 'failed' && lease.of !== credentialsHash(bot.credentials)))
      return { bot, health: 'connecting' };
    return { bot, health: lease.health, ...(lease.reason ? { healthReason: lease.reason } : {}) };
  }

  /** The bot that a new person can be linked with. Errors: CHANNEL_NOT_CONFIGURED with the field to set. */
  async linkable(agent: Agent, platform: ChatPlatform): Promise<AgentBot> {
    const { bot, health, healthReason } = await this.of(agent, platform);
    const field = `${platform}_bot_token`;
    if (!bot)
      throw new RoostError('CHANNEL_NOT_CONFIGURED', `there is no ${platform} bot; set ${field} of the agent`, [
        { field, reason: 'required' },
      ]);
    if (health === 'failed')
      throw new RoostError('CHANNEL_NOT_CONFIGURED', healthReason ?? `the ${platform} bot cannot be used`, [
        { field, reason: 'refused' },
      ]);
    return bot;
  }
}

/** The state of one link: that of the bot it was made with, and of the person's own chat. */
export function linkHealth({ bot, health, healthReason }: ChannelState, row: BindingRow): Health {
  if (bot && row.bot_id !== bot.botId)
    return { health: 'failed', healthReason: 'linked with another bot than the agent has now; link again' };
  const ofBot = { health, ...(healthReason ? { healthReason } : {}) };
  if (row.unreachable_reason === null) return ofBot;
  const ofChat = { healthReason: unreachableReason(row) };
  // A group that is out of reach does not fail the person's own chat.
  return row.unreachable_place === row.place ? { health: 'failed', ...ofChat } : { ...ofBot, ...ofChat };
}

/** What is stored of credentials, to know whether a refusal was of these. */
function credentialsHash(credentials: BotCredentials): string {
  return createHash('sha256').update(JSON.stringify(credentials)).digest('hex');
}

/** Records a connection's health. Refused credentials are reported once to their owners, whichever replicas try them. */
export async function recordState(database: Database, lease: Lease, bot: Bot, state: ConnectionState): Promise<void> {
  const { platform } = lease;
  const reason = state.health === 'failed' ? storableText(state.reason) : null;
  const token = credentialsHash(bot.credentials);
  await database.transaction(async (tx) => {
    const before = await lockLease(tx, lease);
    if (!before) return;
    const reported = state.health === 'failed' ? token : state.health === 'connected' ? null : before.reported_token;
    await setState(tx, lease, { health: state.health, reason, of: reported });
    if (reason === null || before.reported_token === token) return;
    for (const { agentId, accountId } of bot.owners) {
      await tx.outbox(channelFailed, { accountId, agentId, platform, reason, occurredAt: new Date() }, agentId);
    }
  });
}
