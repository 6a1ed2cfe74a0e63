import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { getRun, listRuns } from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import { attemptsOf, findRun, listRuns as findRuns, messagesOf } from './runs.repository.js';

@Controller()
export class RunsController {
  constructor(
    private readonly database: Database,
    private readonly agents: AgentsService,
  ) {}

  @Handles(listRuns)
  async list(query: z.output<typeof listRuns.input>, context: CallContext) {
    await this.agents.require(query.agentId, context);
    return findRuns(this.database, accountOf(context), query);
  }

  @Handles(getRun)
  async get({ agentId, runId }: z.output<typeof getRun.input>, context: CallContext) {
    await this.agents.require(agentId, context);
    const accountId = accountOf(context);
    const run = await findRun(this.database, { agentId, accountId, runId });
    const [attempts, { messages, replies }] = await Promise.all([
      attemptsOf(this.database, runId),
      messagesOf(this.database, accountId, run),
    ]);
    return { run, attempts, messages, replies };
  }
}
