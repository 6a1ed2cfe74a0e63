import { Consumes, LOGGER } from '#lib/bus';
import { inCall } from '#lib/call-context';
import { approvalDecided, encode, MAX_RULES, PermissionRule, Permissions, RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Controller, Inject } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { AgentRecords } from './agent-records.js';

type Decided = z.output<typeof approvalDecided.payload>;

/** Puts a rule first in an agent's permissions when a person has allowed a call always: a version like any other. */
@Controller()
export class AllowedCalls {
  constructor(
    private readonly records: AgentRecords,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Consumes(approvalDecided)
  async onDecided({ agentId, accountId, approval, rule }: Decided, tx: Transaction): Promise<void> {
    if (!rule) return;
    const first = PermissionRule.parse(rule);
    const note = `approval ${approval.id}: always allowed`;
    const call = { accountId, requestId: `approval_${approval.id}`, deadline: Date.now() + 30_000 };
    const actor = approval.decidedBy ?? undefined;
    await inCall({ ...call, actor }, () =>
      this.records.changePermissions(tx, { agentId, accountId }, note, (before) =>
        this.withRule(agentId, before, first),
      ),
    ).catch((error: unknown) => {
      // Deleted meanwhile: there is nothing left to be allowed.
      if (!(error instanceof RoostError && error.code === 'NOT_FOUND')) throw error;
    });
  }

  /** Undefined where nothing is to be changed: the rule is there already, or the permissions are as long as they may be. */
  private withRule(agentId: string, before: Permissions | undefined, rule: PermissionRule): Permissions | undefined {
    const rules = before?.rules ?? [];
    if (rules[0] !== undefined && isDeepStrictEqual(rules[0], rule)) return undefined;
    const after = { ...before, rules: [rule, ...rules] };
    if (rules.length < MAX_RULES && Permissions.safeParse(encode(Permissions, after)).success) return after;
    this.logger.warn(
      { agentId },
      'a call was always allowed, but the agent’s permissions are too long to take the rule',
    );
    return undefined;
  }
}
