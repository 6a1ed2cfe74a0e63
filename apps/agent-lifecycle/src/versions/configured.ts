import { type AgentSettings, type OwnBots, PLATFORM_NAMES } from '#lib/contracts';
import type { AgentRow } from '../agents/agent-row.js';
import { type AgentSecrets, botField } from '../agents/agent-secrets.js';
import { wholeSettings } from './settings.js';

/** All that is configured of an agent, with the values of its secrets. */
export interface Configured extends AgentSettings {
  providerKeys: AgentSecrets['providerKeys'];
  bots: OwnBots;
}

export function configuredOf(row: AgentRow, secrets: AgentSecrets): Configured {
  return {
    ...wholeSettings(row, secrets),
    providerKeys: secrets.providerKeys,
    bots: Object.fromEntries(PLATFORM_NAMES.map((platform) => [botField(platform), secrets[botField(platform)]])),
  };
}
