import { Sealer } from '#lib/auth';
import { type Agent, type AgentList, type ListAgents, paginationOf, perPlatform, PROVIDERS } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { WorkspacesService } from '../workspaces/workspaces.service.js';
import type { AgentKey, AgentRow } from './agent-row.js';
import { maskedConfiguration, openSecrets, wholeConfiguration } from './agent-secrets.js';
import { findAgent, pageOfAgents, setVolumeUsage } from './agents.repository.js';
import { OtherServices } from './other-services.js';

/** Agents as their owner sees them. What another service knows of them is 0 or absent while that is away. */
@Injectable()
export class AgentViews {
  constructor(
    private readonly database: Database,
    private readonly others: OtherServices,
    private readonly workspaces: WorkspacesService,
    private readonly sealer: Sealer,
  ) {}

  /** Errors: NOT_FOUND. */
  async get(key: AgentKey): Promise<Agent> {
    const agent = await findAgent(this.database, key);
    const isAwake = (await this.workspaces.stateOf(agent)) === 'running';
    return this.show(isAwake ? await this.refreshVolumeUsage(agent) : agent);
  }

  /** The agent with its secrets as booleans or `***`. */
  async show(row: AgentRow): Promise<Agent> {
    const secrets = openSecrets(this.sealer, row);
    const { servers: granted, own: known } = await this.others.mcpServers(row.id);
    const own = Object.keys(secrets.mcpServers ?? {}).map((name) => {
      const { status = 'configured', reason = null, checkedAt = null } = known.find((one) => one.name === name) ?? {};
      return { id: name, name, accessMode: 'all', status, reason, checkedAt };
    });
    return {
      id: row.id,
      uuid: row.id,
      name: row.name,
      description: row.description,
      status: row.status,
      statusReason: row.status_reason,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      version: row.version,
      pvcSize: row.pvc_size,
      sessionMode: row.session_mode,
      warmthWindowMs: row.warmth_window_ms,
      outputTokenBalance: Number(row.output_token_balance),
      configuration: maskedConfiguration(wholeConfiguration(row.configuration, secrets)),
      systemPrompt: row.system_prompt,
      systemPromptType: row.system_prompt_type,
      mcpServers: [...own, ...granted],
      filesystemSummary: volumeOf(row),
      ...perPlatform('BotConfigured', (platform) => row.bots.includes(platform)),
      providerKeysConfigured: PROVIDERS.filter((provider) => secrets.providerKeys[provider] !== undefined),
    };
  }

  /** Errors: NOT_FOUND. */
  async summary(key: AgentKey) {
    const agent = await findAgent(this.database, key);
    const counts = (await this.others.counts([agent.id]))(agent.id);
    return {
      uuid: agent.id,
      id: agent.id,
      name: agent.name,
      status: agent.status,
      outputTokenBalance: Number(agent.output_token_balance),
      totalOutputTokensUsed: Number(agent.total_output_tokens_used),
      messageCount: counts.messages,
      mcpServerCount: agent.mcp_server_count + counts.grantedServers,
      createdAt: agent.created_at,
      updatedAt: agent.updated_at,
    };
  }

  /** One page of an account's agents. */
  async list(accountId: string, page: z.output<typeof ListAgents>): Promise<z.output<typeof AgentList>> {
    const { rows, total } = await pageOfAgents(this.database, accountId, page);
    const counts = await this.others.counts(rows.map(({ id }) => id));
    return {
      agents: rows.map((row) => ({
        id: row.id,
        uuid: row.id,
        name: row.name,
        description: row.description,
        status: row.status,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
        messageCount: counts(row.id).messages,
        mcpServerCount: row.mcp_server_count + counts(row.id).grantedServers,
      })),
      pagination: paginationOf(page.page, page.limit, total),
    };
  }

  /** What an awake workspace's volume holds is kept in the row; the row as it was when no answer comes in time. */
  private async refreshVolumeUsage(agent: AgentRow): Promise<AgentRow> {
    const usage = await this.others.volumeUsage(agent.id);
    return usage ? setVolumeUsage(this.database, agent, usage) : agent;
  }
}

function volumeOf(row: AgentRow): Agent['filesystemSummary'] {
  if (row.volume_files === null) return null;
  return {
    totalFiles: Number(row.volume_files),
    totalSizeMb: Math.round((Number(row.volume_bytes) / 2 ** 20) * 100) / 100,
    lastModified: row.volume_modified_at,
  };
}
