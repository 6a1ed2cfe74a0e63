import { Bus, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import * as contract from '#lib/contracts';
import { AccountLimits } from '#lib/quotas';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { assertOwnAgent } from '../agents/own-agent.js';
import { McpRegistry } from './registry/mcp-registry.js';

type Input<C extends { input: z.ZodType }> = z.output<C['input']>;
type ById = Input<typeof contract.getMcpServer>;

/** Thin: subject → registry, always within the caller's account. */
@Controller()
export class McpController {
  constructor(
    @Inject(Bus) private readonly bus: Bus,
    @Inject(McpRegistry) private readonly registry: McpRegistry,
    @Inject(AccountLimits) private readonly limits: AccountLimits,
  ) {}

  @Handles(contract.createMcpServer)
  async create(server: contract.NewMcpServer, context: CallContext) {
    const accountId = accountOf(context);
    return this.registry.create(accountId, server, await this.limits.of(accountId, 'mcp_servers'));
  }

  @Handles(contract.listMcpServers)
  list({ page, limit }: Input<typeof contract.listMcpServers>, context: CallContext) {
    return this.registry.list(accountOf(context), Number(page), Number(limit));
  }

  @Handles(contract.getMcpServer)
  get({ serverId }: ById, context: CallContext) {
    return this.registry.get(accountOf(context), serverId);
  }

  @Handles(contract.updateMcpServer)
  update({ serverId, ...server }: Input<typeof contract.updateMcpServer>, context: CallContext) {
    return this.registry.replace(accountOf(context), serverId, server);
  }

  @Handles(contract.deleteMcpServer)
  async delete({ serverId }: ById, context: CallContext) {
    await this.registry.delete(accountOf(context), serverId);
    return { id: serverId };
  }

  @Handles(contract.refreshMcpTools)
  refresh({ serverId }: ById, context: CallContext) {
    return this.registry.refresh(accountOf(context), serverId);
  }

  @Handles(contract.checkMcpHealth)
  health({ serverId }: ById, context: CallContext) {
    return this.registry.health(accountOf(context), serverId);
  }

  @Handles(contract.authorizeMcpServer)
  authorize({ serverId, redirectUri }: Input<typeof contract.authorizeMcpServer>, context: CallContext) {
    return this.registry.authorize(accountOf(context), serverId, redirectUri);
  }

  @Handles(contract.completeMcpAuthorization)
  complete({ serverId, code, state }: Input<typeof contract.completeMcpAuthorization>, context: CallContext) {
    return this.registry.completeAuthorization(accountOf(context), serverId, code, state);
  }

  @Handles(contract.grantMcpAccess)
  async grant({ serverId, ...access }: Input<typeof contract.grantMcpAccess>, context: CallContext) {
    await assertOwnAgent(this.bus, context, access.agentId);
    return this.registry.access.grant(accountOf(context), serverId, access);
  }

  @Handles(contract.listMcpAccess)
  async access({ serverId }: ById, context: CallContext) {
    await this.registry.get(accountOf(context), serverId);
    return { access: await this.registry.access.list(accountOf(context), serverId) };
  }

  @Handles(contract.revokeMcpAccess)
  async revoke({ serverId, agentId }: Input<typeof contract.revokeMcpAccess>, context: CallContext) {
    await this.registry.access.revoke(accountOf(context), serverId, agentId);
    return { id: serverId, agentId };
  }

  @Handles(contract.countMcpServers)
  async count({ agentIds }: Input<typeof contract.countMcpServers>, context: CallContext) {
    return { counts: await this.registry.access.count(accountOf(context), agentIds) };
  }

  @Handles(contract.listAgentMcpServers)
  async forAgent({ agentId }: Input<typeof contract.listAgentMcpServers>, context: CallContext) {
    const [rows, own] = await Promise.all([
      this.registry.access.forAgent(accountOf(context), agentId),
      this.registry.own.forAgent(accountOf(context), agentId),
    ]);
    return {
      servers: rows.map(({ id, name, access_mode, status, status_reason: reason, checked_at: checkedAt }) => ({
        ...{ id, name, accessMode: access_mode, status, reason, checkedAt },
      })),
      own: own.map(({ name, status, reason, checked_at: checkedAt }) => ({ name, status, reason, checkedAt })),
    };
  }
}
