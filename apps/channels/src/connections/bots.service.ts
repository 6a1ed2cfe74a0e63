import { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { type AgentBots, type ChatPlatform, listAgentBots } from '#lib/contracts';
import { newId } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import { ADAPTERS, type BotCredentials, type ChannelAdapter } from '../adapters/channel-adapter.js';
import { botOf } from '../adapters/platform.js';
import type { BotKey } from '../bindings/bindings.repository.js';

const PAGE = 500;

export interface Bot {
  adapter: ChannelAdapter;
  botId: string;
  credentials: BotCredentials;
  /** Whose own bot it is, with their accounts; none for the platform's shared one. */
  owners: { agentId: string; accountId: string }[];
}

export interface AgentBot extends Pick<Bot, 'adapter' | 'botId' | 'credentials'> {
  /** Not the platform's shared one. */
  isOwn: boolean;
}

/** The bots there are: agents' own, by a request to lifecycle, and the platform's shared ones. Tokens are in memory only. */
@Injectable()
export class BotsService {
  private agents = new Map<string, AgentBots>();

  constructor(
    private readonly bus: Bus,
    @Inject(ADAPTERS) private readonly adapters: ChannelAdapter[],
  ) {}

  /** Asks for the tokens again. Errors: SERVICE_UNAVAILABLE; what was known before stays. */
  async refresh(): Promise<void> {
    const agents = new Map<string, AgentBots>();
    let afterAgentId: string | undefined;
    for (;;) {
      const { bots } = await this.bus.request(
        listAgentBots,
        { limit: PAGE, ...(afterAgentId ? { afterAgentId } : {}) },
        ownCall(`req_channels_${newId()}`),
      );
      for (const bot of bots) agents.set(bot.agentId, bot);
      afterAgentId = bots.at(-1)?.agentId;
      if (bots.length < PAGE || !afterAgentId) break;
    }
    this.agents = agents;
  }

  /** One entry per bot, however many agents share it. */
  all(): Bot[] {
    const bots = new Map<string, Bot>();
    for (const adapter of this.adapters) {
      const add = (credentials: BotCredentials | undefined, owner?: AgentBots) => {
        const botId = credentials && adapter.botIdOf(credentials);
        if (!credentials || botId === undefined) return;
        const key = `${adapter.platform}:${botId}`;
        const owners = bots.get(key)?.owners ?? [];
        if (owner) owners.push({ agentId: owner.agentId, accountId: owner.accountId });
        bots.set(key, { adapter, botId, credentials, owners });
      };
      for (const agent of this.agents.values()) add(ownBot(adapter.platform, agent), agent);
      add(adapter.sharedBot);
    }
    return [...bots.values()];
  }

  /** As far as is known here: one that was added a moment ago may not be. */
  has({ platform, botId }: BotKey): boolean {
    return this.all().some((bot) => bot.adapter.platform === platform && bot.botId === botId);
  }

  /** Whose bot a platform posts to: an agent's, the `shared` one, or one named by its own id. */
  receiving(platform: ChatPlatform, recipient: string): string | undefined {
    const adapter = this.adapters.find((known) => known.platform === platform);
    const agent = this.agents.get(recipient);
    const credentials = recipient === 'shared' ? adapter?.sharedBot : agent && ownBot(platform, agent);
    if (credentials) return adapter?.botIdOf(credentials);
    return this.all().find((bot) => bot.adapter === adapter && bot.botId === recipient)?.botId;
  }

  /** The bot people of this agent write to: its own, else the shared one. */
  ofAgent(agentId: string, platform: ChatPlatform): AgentBot | undefined {
    const adapter = this.adapters.find((known) => known.platform === platform);
    const agent = this.agents.get(agentId);
    const own = agent && ownBot(platform, agent);
    const credentials = own ?? adapter?.sharedBot;
    const botId = credentials && adapter?.botIdOf(credentials);
    if (!adapter || !credentials || botId === undefined) return undefined;
    return { botId, adapter, credentials, isOwn: own !== undefined };
  }
}

function ownBot(platform: ChatPlatform, agent: AgentBots): BotCredentials | undefined {
  const own = agent[`${platform}BotToken`];
  if (own === undefined || typeof own === 'string') return botOf(own);
  const { botToken: token, ...more } = own;
  return { token, ...more };
}
