import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { explainPermissions } from '#lib/contracts';
import { Database } from '#lib/database';
import { describeDecision, explain } from '#lib/permissions';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { findAgent } from '../agents/agents.repository.js';
import { requireValidPermissions } from './require-valid.js';

/** Says what an agent's permissions make of a call. agent-runtime decides by the same library when a tool is called. */
@Controller()
export class PermissionsController {
  constructor(private readonly database: Database) {}

  @Handles(explainPermissions)
  async explain({ agentId, permissions, ...call }: z.output<typeof explainPermissions.input>, context: CallContext) {
    const agent = await findAgent(this.database, { agentId, accountId: accountOf(context) });
    requireValidPermissions(permissions, 'permissions');
    const used = permissions ?? agent.configuration.permissions;
    const { passedOver, unattended = false, ...decision } = explain(used, call);
    const reason = describeDecision(used, unattended ? { ...decision, unattended } : decision);
    return { ...decision, unattended, reason, passedOver };
  }
}
