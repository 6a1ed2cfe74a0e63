import { Bus, CONFIG, ownCall } from '#lib/bus';
import { type AgentBots, type ChatPlatform, listAgentBots } from '#lib/contracts';
import { newId } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import type { ChannelAdapter } from '../adapters/channel-adapter.js';
import { ADAPTERS } from '../adapters/token.js';
import type { Config } from '../config.js';

const PAGE = 500;

export interface Bot {
  adapter: ChannelAdapter;
  botId: string;
  token: string;
}

/** The bots there are: agents' own, asked of lifecycle, and the platform's shared ones. Tokens are kept in memory only. */
@Injectable()
export class Bots {
  private agents = new Map<string, AgentBots>();

  constructor(
    private readonly bus: Bus,
    @Inject(ADAPTERS) private readonly adapters: ChannelAdapter[],
    @Inject(CONFIG) private readonly config: Config,
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
      const tokens = [...this.agents.values()].map((agent) => ownToken(agent, adapter.platform));
      for (const token of [...tokens, this.sharedToken(adapter.platform)]) {
        const bot = token ? botOf(adapter, token) : undefined;
        if (bot) bots.set(`${adapter.platform}:${bot.botId}`, bot);
      }
    }
    return [...bots.values()];
  }

  /** The bot people of this agent write to: its own, else the shared one. */
  ofAgent(agentId: string, platform: ChatPlatform): Bot | undefined {
    const adapter = this.adapters.find((known) => known.platform === platform);
    const agent = this.agents.get(agentId);
    const token = (agent && ownToken(agent, platform)) ?? this.sharedToken(platform);
    return adapter && token ? botOf(adapter, token) : undefined;
  }

  private sharedToken(platform: ChatPlatform): string | undefined {
    return platform === 'telegram' ? this.config.TELEGRAM_BOT_TOKEN : undefined;
  }
}

function botOf(adapter: ChannelAdapter, token: string): Bot | undefined {
  const botId = adapter.botIdOf(token);
  return botId === undefined ? undefined : { adapter, botId, token };
}

function ownToken(agent: AgentBots, platform: ChatPlatform): string | undefined {
  return platform === 'telegram' ? agent.telegramBotToken : undefined;
}
