import type { Sealer } from '#lib/auth';
import type { Bus } from '#lib/bus';
import { type Agent, listAgentMcpServers, perPlatform } from '#lib/contracts';
import type { AgentRow } from './agent-row.js';
import { maskedConfiguration, openSecrets, wholeConfiguration } from './agent-secrets.js';
import { askWithin } from './ask-within.js';

/** The agent as its owner sees it: secrets are booleans or `***`. The registry's servers are absent while the brain is away. */
export async function showAgent(bus: Bus, sealer: Sealer, row: AgentRow): Promise<Agent> {
  const secrets = openSecrets(sealer, row);
  const { servers } = await askWithin(bus, listAgentMcpServers, { agentId: row.id }, { servers: [] });
  const own = Object.keys(secrets.mcpServers ?? {}).map((name) => ({
    id: name,
    name,
    accessMode: 'all',
    status: 'configured',
  }));
  return {
    id: row.id,
    uuid: row.id,
    name: row.name,
    description: row.description,
    status: row.status,
    statusReason: row.status_reason,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    pvcSize: row.pvc_size,
    sessionMode: row.session_mode,
    warmthWindowMs: row.warmth_window_ms,
    outputTokenBalance: Number(row.output_token_balance),
    configuration: maskedConfiguration(wholeConfiguration(row.configuration, secrets)),
    systemPrompt: row.system_prompt,
    systemPromptType: row.system_prompt_type,
    mcpServers: [...own, ...servers],
    filesystemSummary:
      row.volume_files === null
        ? null
        : {
            totalFiles: Number(row.volume_files),
            totalSizeMb: Math.round((Number(row.volume_bytes) / 2 ** 20) * 100) / 100,
            lastModified: row.volume_modified_at,
          },
    ...perPlatform('BotConfigured', (platform) => row.bots.includes(platform)),
  };
}
