import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { AgentSettings, diffVersions, draftVersion, getVersion, listVersions, rollBack } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { AgentViews } from '../agents/agent-views.js';
import type { VersionRow } from './versions.repository.js';
import { VersionsService } from './versions.service.js';

type InputOf<C extends { input: z.ZodType }> = z.output<C['input']>;

@Controller()
export class VersionsController {
  constructor(
    private readonly versions: VersionsService,
    private readonly views: AgentViews,
  ) {}

  @Handles(listVersions)
  async list({ agentId, ...page }: InputOf<typeof listVersions>, context: CallContext) {
    const { current, rows, hasMore } = await this.versions.list({ agentId, accountId: accountOf(context) }, page);
    return { versions: rows.map((row) => viewOf(row, current)), hasMore };
  }

  @Handles(getVersion)
  async get({ agentId, version }: InputOf<typeof getVersion>, context: CallContext) {
    const { current, row } = await this.versions.get({ agentId, accountId: accountOf(context) }, version);
    return {
      ...viewOf(row, current),
      settings: AgentSettings.parse(row.settings),
      secrets: Object.entries(row.secrets).map(([field, setIn]) => ({ field, setIn })),
    };
  }

  @Handles(diffVersions)
  diff({ agentId, ...named }: InputOf<typeof diffVersions>, context: CallContext) {
    return this.versions.diff({ agentId, accountId: accountOf(context) }, named);
  }

  @Handles(draftVersion)
  async draft({ agentId, ...change }: InputOf<typeof draftVersion>, context: CallContext) {
    return viewOf(await this.versions.draft({ agentId, accountId: accountOf(context) }, change), 0);
  }

  @Handles(rollBack)
  async rollBack({ agentId, ...wanted }: InputOf<typeof rollBack>, context: CallContext) {
    const { agent, notRestored } = await this.versions.rollBack({ agentId, accountId: accountOf(context) }, wanted);
    return { version: agent.version, notRestored, agent: await this.views.show(agent) };
  }
}

function viewOf(row: VersionRow, current: number) {
  const { version, created_at: createdAt, actor_type: type, actor_id: id, note, changed, is_draft: isDraft } = row;
  const createdBy = type === null || id === null ? null : { type, id };
  return { version, createdAt, createdBy, note, changed, isCurrent: version === current, isDraft };
}
