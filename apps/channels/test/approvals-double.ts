import {
  answerApproval,
  type Approval,
  approvalDecided,
  approvalExpired,
  approvalRequested,
  approvalShown,
  decideApproval,
  getApproval,
  type Question,
  RoostError,
} from '#lib/contracts';
import { newId } from '#lib/database';
import { answerOf, answerProblem } from '#lib/questions';
import { serve } from '#lib/rpc';
import { publishEvent } from '#lib/testing';
import type { ChannelsFixture } from './channels-fixture.js';

/** Approvals as messaging has them: the first decision counts, and each change is an event. */
export class ApprovalsDouble {
  readonly approvals = new Map<string, Approval>();
  /** Those for which nothing is answered but an error. */
  readonly broken = new Set<string>();
  /** Those whose next decision is taken, and the answer to it lost. */
  readonly unanswered = new Set<string>();

  constructor(private readonly fixture: ChannelsFixture) {
    const { connection } = fixture.bus;
    const fail = (error: unknown) => console.error(error);
    serve(connection, getApproval, getApproval.subject, ({ approvalId }) => this.find(approvalId), fail);
    serve(
      connection,
      decideApproval,
      decideApproval.subject,
      async ({ approvalId, decision, message = null }, { actor }) => {
        const before = this.find(approvalId);
        if (before.status !== 'pending') throw new RoostError('CONFLICT', 'it is decided');
        if (before.approvers && actor && !before.approvers.includes(actor.id))
          throw new RoostError('ACCESS_DENIED', 'you may not decide this');
        const status = decision === 'deny' ? 'denied' : 'allowed';
        const decidedBy = actor ? { type: actor.type, id: actor.id } : null;
        return this.answered(await this.end(approvalId, { status, decision, message, decidedBy }));
      },
      fail,
    );
    serve(
      connection,
      answerApproval,
      answerApproval.subject,
      async ({ approvalId, text = '' }, { actor }) => {
        const before = this.find(approvalId);
        if (before.status !== 'pending') throw new RoostError('CONFLICT', 'it is decided');
        const answer = before.question && answerOf(before.question, text);
        const problem = before.question && answerProblem(before.question, answer);
        if (problem) throw new RoostError('VALIDATION_ERROR', `answer: ${problem.message}`);
        const decidedBy = actor ? { type: actor.type, id: actor.id } : null;
        return this.answered(await this.end(approvalId, { status: 'answered', answer: answer as string, decidedBy }));
      },
      fail,
    );
    serve(
      connection,
      approvalShown,
      approvalShown.subject,
      ({ approvalId, where }) => {
        const before = this.find(approvalId);
        const isKnown = before.shown.some((known) => known.where === where);
        const shown = isKnown ? before.shown : [...before.shown, { where, at: new Date() }];
        return this.keep({ ...before, shown });
      },
      fail,
    );
  }

  find(id: string): Approval {
    if (this.broken.has(id)) throw new RoostError('CONFLICT', 'it cannot be read');
    const found = this.approvals.get(id);
    if (!found) throw new RoostError('NOT_FOUND', 'there is no such approval');
    return found;
  }

  /** A call of the agent that waits in this conversation. */
  async request(conversationId: string, args: object, more: Partial<Approval> = {}): Promise<Approval> {
    const json = JSON.stringify(args);
    const approval = this.keep({
      id: newId(),
      agentId: this.fixture.agentId,
      runId: newId(),
      turnId: newId(),
      conversationId,
      source: 'telegram',
      kind: 'tool',
      tool: 'bash',
      toolCallId: 'call-1',
      arguments: json,
      grantId: null,
      argumentBytes: Buffer.byteLength(json),
      hash: '0'.repeat(64),
      rule: 0,
      approvers: null,
      status: 'pending',
      createdAt: new Date(),
      expiresAt: new Date(Date.now() + 86_400_000),
      decidedAt: null,
      decidedBy: null,
      decision: null,
      message: null,
      editedArguments: null,
      question: null,
      answer: null,
      startedAt: null,
      shown: [],
      ...more,
    });
    await publishEvent(this.fixture.bus.connection, approvalRequested, this.eventOf(approval));
    return approval;
  }

  /** A question of the agent, or of a tool that it called. */
  question(conversationId: string, question: Question, more: Partial<Approval> = {}): Promise<Approval> {
    return this.request(conversationId, question, {
      kind: 'question',
      tool: 'ask_human',
      rule: null,
      question,
      ...more,
    });
  }

  /** As when nobody decides in time, or somebody does in the API. */
  async end(id: string, change: Partial<Approval>): Promise<Approval> {
    const ended = this.keep({ ...this.find(id), decidedAt: new Date(), ...change });
    const { connection } = this.fixture.bus;
    if (ended.status === 'expired') await publishEvent(connection, approvalExpired, this.eventOf(ended));
    else await publishEvent(connection, approvalDecided, { ...this.eventOf(ended), rule: null });
    return ended;
  }

  private answered(approval: Approval): Approval {
    if (this.unanswered.delete(approval.id)) throw new RoostError('SERVICE_UNAVAILABLE', 'no answer came');
    return approval;
  }

  private keep(approval: Approval): Approval {
    this.approvals.set(approval.id, approval);
    return approval;
  }

  /** Events hold no long arguments. */
  private eventOf(approval: Approval) {
    const { accountId } = this.fixture;
    const { agentId, turnId, runId } = approval;
    const shown = { ...approval, arguments: approval.argumentBytes > 16_384 ? null : approval.arguments };
    return { accountId, agentId, turnId, runId, messageIds: [], approval: shown };
  }
}
