import { type AgentSettings, type OwnBots, PLATFORM_NAMES } from '#lib/contracts';
import type { AgentRow } from '../agents/agent-row.js';
import { type AgentSecrets, botField, wholeConfiguration } from '../agents/agent-secrets.js';

/** All that is configured of an agent, with the values of its secrets. */
export interface Configured extends AgentSettings {
  providerKeys: AgentSecrets['providerKeys'];
  bots: OwnBots;
}

export function configuredOf(row: AgentRow, secrets: AgentSecrets): Configured {
  return {
    name: row.name,
    description: row.description,
    pvcSize: row.pvc_size,
    sessionMode: row.session_mode,
    warmthWindowMs: row.warmth_window_ms,
    systemPrompt: row.system_prompt,
    systemPromptType: row.system_prompt_type,
    configuration: wholeConfiguration(row.configuration, secrets),
    providerKeys: secrets.providerKeys,
    bots: Object.fromEntries(PLATFORM_NAMES.map((platform) => [botField(platform), secrets[botField(platform)]])),
  };
}
