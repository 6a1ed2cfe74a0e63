import { Bus, Consumes, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  answerApproval,
  approvalShown,
  askForCredential,
  cancelApprovals,
  decideApproval,
  getApproval,
  listApprovals,
  recordedSubject,
  startApproval,
  vaultGrantSettled,
  WAKE_RUNTIME,
} from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import { FinishedMessages } from '../messages/finished-messages.js';
import { endSuspended } from '../runs/end-waiting.js';
import { findApproval, listApprovals as findApprovals, noteShown, startCall } from './approvals.repository.js';
import { ApprovalsService } from './approvals.service.js';
import { cancelCredentials } from './credentials.repository.js';
import { CredentialApprovals } from './credentials.service.js';

type InputOf<C extends { input: z.ZodType }> = z.output<C['input']>;

@Controller()
export class ApprovalsController {
  constructor(
    private readonly database: Database,
    private readonly approvals: ApprovalsService,
    private readonly credentials: CredentialApprovals,
    private readonly agents: AgentsService,
    private readonly finished: FinishedMessages,
    private readonly bus: Bus,
  ) {}

  @Handles(listApprovals)
  list(query: InputOf<typeof listApprovals>, context: CallContext) {
    return findApprovals(this.database, accountOf(context), query);
  }

  @Handles(getApproval)
  get({ approvalId }: InputOf<typeof getApproval>, context: CallContext) {
    return findApproval(this.database, accountOf(context), approvalId);
  }

  @Handles(decideApproval)
  decide(input: InputOf<typeof decideApproval>, context: CallContext) {
    return this.approvals.decide(input, context);
  }

  @Handles(answerApproval)
  answer(input: InputOf<typeof answerApproval>, context: CallContext) {
    return this.approvals.answer(input, context);
  }

  @Handles(approvalShown)
  shown({ approvalId, where }: InputOf<typeof approvalShown>, context: CallContext) {
    return noteShown(this.database, accountOf(context), approvalId, where);
  }

  /** For agent-runtime on its own behalf: the fencing token decides what it may. */
  @Handles(startApproval)
  async start(input: InputOf<typeof startApproval>) {
    await startCall(this.database, input);
    return { accepted: true };
  }

  /** For agent-lifecycle, in the name of the agent's account. */
  @Handles(askForCredential)
  askForCredential(input: InputOf<typeof askForCredential>, context: CallContext) {
    return this.credentials.ask(input, context);
  }

  @Consumes(vaultGrantSettled)
  async onGrantSettled(grant: z.output<typeof vaultGrantSettled.payload>, tx: Transaction) {
    await tx.query(`SELECT 1 FROM agents WHERE agent_id = $1 FOR UPDATE`, [grant.agentId]);
    await cancelCredentials(tx, grant);
    tx.afterCommit(() => this.bus.hint(recordedSubject(grant.agentId)));
  }

  @Handles(cancelApprovals)
  async cancel({ agentId, conversationId }: InputOf<typeof cancelApprovals>, context: CallContext) {
    await this.agents.require(agentId, context);
    const wanted = conversationId === undefined ? null : [conversationId];
    let cancelled = 0;
    // Some at a time: the agent's row is locked meanwhile.
    for (;;) {
      const ended = await this.database.transaction((tx) => endSuspended(tx, agentId, wanted, 'cancelled'));
      if (ended.length === 0) break;
      cancelled += ended.length;
      for (const { finishedIds } of ended) this.finished.announce(finishedIds);
    }
    if (cancelled > 0) {
      this.bus.hint(recordedSubject(agentId));
      this.bus.signal(WAKE_RUNTIME);
    }
    return { cancelled };
  }
}
