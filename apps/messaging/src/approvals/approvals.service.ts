import { recordAudit } from '#lib/audit';
import { Bus } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { callHash, canonicalJson } from '#lib/canonical-json';
import {
  type Actor,
  type answerApproval,
  type Approval,
  approvalDecided,
  type decideApproval,
  getAgent,
  MAX_EDITED_BYTES,
  MAX_RULES,
  recordedSubject,
  RoostError,
  WAKE_RUNTIME,
} from '#lib/contracts';
import { Database, storableJson, type Transaction } from '#lib/database';
import { answerOf, answerProblem } from '#lib/questions';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { decide, type Decided, findApproval, lockApproval } from './approvals.repository.js';
import { ruleOf } from './rule-of.js';
import { messageIdsOf, resumeRun } from './suspensions.repository.js';

type Input = z.output<typeof decideApproval.input>;

@Injectable()
export class ApprovalsService {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  /**
   * Takes the first decision about a call; its run goes on when it waits for no other. Errors: NOT_FOUND, CONFLICT (decided,
   * or too late), ACCESS_DENIED, VALIDATION_ERROR.
   */
  async decide(input: Input, context: CallContext): Promise<Approval> {
    if (input.decision === 'allow_always') await this.requireRuleFits(input.approvalId, context);
    const fields = (['decision', 'message', 'arguments', 'rule'] as const).filter((name) => input[name] !== undefined);
    return this.settle(input.approvalId, context, fields, (approval, actor) => {
      if (approval.kind === 'question' && input.decision !== 'deny')
        throw refuse('decision', 'a question is answered, by POST /v1/approvals/{id}/answer, or denied');
      const decided = decisionOf(approval, input, actor);
      if (approval.kind === 'credential') return { decided, rule: null };
      const text = decided.edited?.arguments ?? approval.arguments ?? '{}';
      return { decided, rule: input.decision === 'allow_always' ? ruleOf(approval, text, input.rule) : null };
    });
  }

  /** Takes the first answer to a question. Errors: as of a decision. */
  answer({ approvalId, ...given }: z.output<typeof answerApproval.input>, context: CallContext): Promise<Approval> {
    return this.settle(approvalId, context, ['answer'], ({ question }, by) => {
      if (!question) throw refuse('answer', 'this is no question: it is decided by POST /v1/approvals/{id}/decide');
      if ((given.answer === undefined) === (given.text === undefined))
        throw refuse('answer', 'give it as `answer` or as `text`');
      const answer = given.text === undefined ? given.answer : answerOf(question, given.text);
      const problem = answerProblem(question, answer);
      if (problem) throw refuse(problem.field === null ? 'answer' : `answer.${problem.field}`, problem.message);
      return { decided: { status: 'answered', by, answer: storableJson(answer) }, rule: null };
    });
  }

  /**
   * Whoever allows always learns that the agent's permissions take no more rules, before anything runs. Where agent-lifecycle
   * is away the decision counts all the same: the log then says that the rule was not added.
   */
  private async requireRuleFits(approvalId: string, context: CallContext): Promise<void> {
    const { agentId, kind } = await findApproval(this.database, accountOf(context), approvalId);
    if (kind === 'credential') return;
    const agent = await this.bus.request(getAgent, { agentId }, context).catch((error: unknown) => {
      if (error instanceof RoostError) return undefined;
      throw error;
    });
    if ((agent?.configuration.permissions?.rules?.length ?? 0) < MAX_RULES) return;
    throw refuse(
      'decision',
      `the agent’s permissions have ${MAX_RULES} rules, the most: take some away, or allow once`,
    );
  }

  /** `fields`: what of the approval the caller gives, for the audit. */
  private async settle(
    approvalId: string,
    context: CallContext,
    fields: string[],
    choose: (approval: Approval, actor: Actor) => { decided: Decided; rule: Rule },
  ): Promise<Approval> {
    const accountId = accountOf(context);
    const actor = context.actor ?? { type: 'system', id: 'messaging' };
    await this.database.transaction(async (tx) => {
      const { approval, isDue } = await lockApproval(tx, accountId, approvalId);
      requireApprover(approval, actor);
      requirePending(approval, isDue);
      const { decided, rule } = choose(approval, actor);
      const after = await decide(tx, approval.id, decided);
      if (!after) throw new Error('a locked approval was decided by somebody else');
      await this.announce(tx, accountId, after, rule);
      await recordAudit(tx, {
        action: `approval.${decided.status}`,
        target: { type: 'approval', id: approval.id },
        fields,
      });
    });
    return findApproval(this.database, accountId, approvalId);
  }

  private async announce(tx: Transaction, accountId: string, approval: Approval, rule: Rule): Promise<void> {
    const { id, agentId, runId, turnId } = approval;
    const messageIds = await messageIdsOf(tx, id);
    await tx.outbox(approvalDecided, { accountId, agentId, turnId, runId, messageIds, approval, rule }, agentId);
    const goesOn = await resumeRun(tx, approval);
    tx.afterCommit(() => {
      this.bus.hint(recordedSubject(agentId));
      if (goesOn) this.bus.signal(WAKE_RUNTIME);
    });
  }
}

type Rule = z.output<typeof approvalDecided.payload>['rule'];

/** Where people are named, those alone decide in chats. The account's users and keys always may. */
function requireApprover({ approvers }: Approval, actor: Actor): void {
  if (actor.type !== 'person' || approvers === null || approvers.includes(actor.id)) return;
  throw new RoostError('ACCESS_DENIED', 'only the approvers that the agent’s permissions name may decide this');
}

function requirePending(approval: Approval, isDue: boolean): void {
  const { status, decidedBy, decidedAt } = approval;
  if (status === 'pending' && !isDue) return;
  const who = decidedBy ? ` by ${decidedBy.type}:${decidedBy.id}` : '';
  const said = status === 'pending' ? 'it has expired' : `it is ${status} already${who}`;
  throw new RoostError('CONFLICT', `this cannot be decided any more: ${said}`, [
    {
      reason: status === 'pending' ? 'expired' : 'already_decided',
      status: status === 'pending' ? 'expired' : status,
      decided_by: decidedBy,
      decided_at: decidedAt?.toISOString() ?? null,
    },
  ]);
}

const refuse = (field: string, problem: string) =>
  new RoostError('VALIDATION_ERROR', `${field}: ${problem}`, [{ field, reason: 'invalid' }]);

function decisionOf({ tool, kind }: Approval, input: Input, by: Actor): Decided {
  const { decision, message } = input;
  if (kind === 'credential' && input.arguments) throw refuse('arguments', 'a request is sent as it was shown');
  if (kind === 'credential' && input.rule) throw refuse('rule', 'of a grant nothing but whether it asks is changed');
  if (decision === 'deny' && input.arguments) throw refuse('arguments', 'a call that is denied runs with none');
  if (decision !== 'allow_always' && input.rule) throw refuse('rule', 'only allow_always makes one');
  if (!input.arguments) return { status: decision === 'deny' ? 'denied' : 'allowed', by, decision, message };
  const edited = canonicalJson(input.arguments);
  if (Buffer.byteLength(edited) > MAX_EDITED_BYTES)
    throw refuse('arguments', `longer than ${MAX_EDITED_BYTES} bytes as JSON`);
  return {
    status: 'allowed',
    by,
    decision,
    message,
    edited: { arguments: edited, hash: callHash(tool, input.arguments) },
  };
}
