import { Bus, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { cancelRun, getRun, interruptSubject, listRuns, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import { FinishedMessages } from '../messages/finished-messages.js';
import { approvalsOfRun } from '../approvals/approvals.repository.js';
import { endWaiting } from './end-waiting.js';
import { attemptsOf, cancelAttempt, findRun, listRuns as findRuns, messagesOf } from './runs.repository.js';

@Controller()
export class RunsController {
  constructor(
    private readonly database: Database,
    private readonly agents: AgentsService,
    private readonly bus: Bus,
    private readonly finished: FinishedMessages,
  ) {}

  @Handles(listRuns)
  async list(query: z.output<typeof listRuns.input>, context: CallContext) {
    await this.agents.require(query.agentId, context);
    return findRuns(this.database, accountOf(context), query);
  }

  @Handles(cancelRun)
  async cancel({ agentId, runId }: z.output<typeof cancelRun.input>, context: CallContext) {
    await this.agents.require(agentId, context);
    const key = { agentId, accountId: accountOf(context), runId };
    await findRun(this.database, key);
    const ended = await this.database.transaction(async (tx) => {
      const { isRunning, last } = await cancelAttempt(tx, key);
      const { status } = await findRun(tx, key);
      if (isRunning || status === 'cancelled') return undefined;
      if (status !== 'waiting') throw new RoostError('CONFLICT', `the run has ended already: it is ${status}`);
      return endWaiting(tx, last);
    });
    if (ended) this.finished.announce(ended.finishedIds);
    else this.bus.signal(interruptSubject(agentId));
    return findRun(this.database, key);
  }

  @Handles(getRun)
  async get({ agentId, runId }: z.output<typeof getRun.input>, context: CallContext) {
    await this.agents.require(agentId, context);
    const accountId = accountOf(context);
    const run = await findRun(this.database, { agentId, accountId, runId });
    const [attempts, approvals, { messages, replies }] = await Promise.all([
      attemptsOf(this.database, runId),
      approvalsOfRun(this.database, runId),
      messagesOf(this.database, accountId, run),
    ]);
    return { run, attempts, messages, replies, approvals };
  }
}
