import { Bus } from '#lib/bus';
import type { CallContext } from '#lib/call-context';
import { answerApproval, type Approval, decideApproval, getApproval, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { answerOf, answerProblem } from '#lib/questions';
import { Injectable } from '@nestjs/common';
import type { ApprovalDecision, InboundMessage } from '../adapters/channel-adapter.js';
import { answerNumber } from '../adapters/press-id.js';
import { type InHand, noteApproval } from '../inbound/inbound-events.repository.js';
import type { BindingRow } from '../bindings/bindings.repository.js';
import { outcomeOf, shortId } from './card-text.js';
import { pressedAnswer } from './question-text.js';
import { openQuestions } from './cards.repository.js';
import { callFor } from './cards.service.js';

/** The end of an id, as cards show it, or all of it. */
const ID = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)?[0-9a-f]{6,12}$/i;
const MAX_REASON = 2_000;
const NONE = 'Nothing is asked here at the moment.';

/** What people decide in chats, by a button or a command: only those count who may, and only the first. */
@Injectable()
export class ApprovalDecisions {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  /** Gives what is answered to the person. */
  async press(
    binding: BindingRow | undefined,
    { sender }: InboundMessage,
    { approvalId, decision }: NonNullable<InboundMessage['press']>,
  ): Promise<string> {
    if (!binding) return 'Only people who are linked with the agent may decide this.';
    const answer = answerNumber({ decision });
    if (answer !== undefined) return this.settle(binding, sender.id, approvalId, { answer });
    return this.settle(binding, sender.id, approvalId, { decision: decision as ApprovalDecision });
  }

  /**
   * Plain words, where they reply to a question, or the agent has asked just one here and they answer it; undefined where
   * they are a message as any other.
   */
  async reply(binding: BindingRow, message: InboundMessage, inHand: InHand): Promise<string | undefined> {
    const settled = { text: message.text };
    if (inHand.approval_id !== null) return this.settle(binding, message.sender.id, inHand.approval_id, settled);
    const { replyTo } = message;
    const here = await openQuestions(this.database, aboutOf(binding), placeOf(binding, message));
    const [only, ...others] = replyTo === undefined ? here : here.filter(({ messageId }) => messageId === replyTo);
    if (!only?.isQuestion || others.length > 0) return undefined;
    const context = contextOf(binding, message.sender.id);
    const approval = await this.find(only.id, context);
    if (approval?.status !== 'pending' || !approval.question || !mayDecide(binding, approval, context))
      return undefined;
    // A reply to the question itself is meant for it: what is wrong with it is said.
    if (replyTo === undefined && answerProblem(approval.question, answerOf(approval.question, message.text)))
      return undefined;
    await noteApproval(this.database, inHand.id, only.id);
    return this.settle(binding, message.sender.id, only.id, settled);
  }

  /** `/approve [id]`, `/deny [id] [reason]`, `/answer [id] text`: without an id it is what was asked in this chat, if that is one thing. */
  async command(
    binding: BindingRow,
    message: InboundMessage,
    { name, rest, mark }: DecisionCommand,
    inHand: InHand,
  ): Promise<string> {
    const { first, isId } = firstOf(rest);
    const all =
      inHand.approval_id === null
        ? await openQuestions(this.database, aboutOf(binding), isId ? undefined : placeOf(binding, message))
        : [{ id: inHand.approval_id, isQuestion: name === 'answer', messageId: null }];
    const open = all
      .filter(({ isQuestion }) => name === 'deny' || isQuestion === (name === 'answer'))
      .map(({ id }) => id);
    const meant = isId ? open.filter((id) => id.endsWith(first)) : open;
    // As it was written: an answer may have several lines.
    const said = isId && meant.length > 0 ? rest.trim().slice(first.length).trim() : rest.trim();
    const [approvalId] = meant.length > 0 || !isId ? meant : [];
    if (approvalId === undefined) return isId ? 'There is no such question, or it is over.' : NONE;
    if (meant.length > 1) return `Which one? ${meant.map((id) => `${mark}${name} ${shortId(id)}`).join(' · ')}`;
    await noteApproval(this.database, inHand.id, approvalId);
    if (name === 'answer') return this.settle(binding, message.sender.id, approvalId, { text: said });
    const decision = name === 'approve' ? 'allow_once' : 'deny';
    const words = said === '' ? {} : { message: said.slice(0, MAX_REASON) };
    return this.settle(binding, message.sender.id, approvalId, { decision, ...words });
  }

  /**
   * A command in a group that does not address the bot: undefined unless it is about what is open at this place, and the
   * person may decide that. Another bot's `/approve` must allow nothing: what decides about a tool has to name it.
   */
  async unaddressedCommand(
    binding: BindingRow,
    message: InboundMessage,
    command: DecisionCommand,
    inHand: InHand,
  ): Promise<string | undefined> {
    const { first, isId } = firstOf(command.rest);
    if (!isId && command.name !== 'answer') return undefined;
    if (inHand.approval_id === null) {
      const here = await openQuestions(this.database, aboutOf(binding), placeOf(binding, message));
      const meant = here.filter(({ id, isQuestion }) => (isId ? id.endsWith(first) : isQuestion));
      const context = contextOf(binding, message.sender.id);
      const found = await Promise.all(meant.map(({ id }) => this.find(id, context)));
      if (!found.some((approval) => approval && mayDecide(binding, approval, context))) return undefined;
    }
    return this.command(binding, message, command, inHand);
  }

  private async settle(binding: BindingRow, userId: string, approvalId: string, settled: Settled): Promise<string> {
    const context = contextOf(binding, userId);
    try {
      const approval = await this.bus.request(getApproval, { approvalId }, context);
      if (!mayDecide(binding, approval, context)) return 'You are not one of the people who may decide this.';
      const after = await this.send(approval, settled, context);
      return `Done: ${outcomeOf(after)}.`;
    } catch (error) {
      if (!(error instanceof RoostError)) throw error;
      if (error.code === 'CONFLICT') return this.overBy(approvalId, context);
      if (error.code === 'NOT_FOUND') return 'There is no such question any more.';
      if (error.code === 'ACCESS_DENIED' || error.code === 'VALIDATION_ERROR') return error.message;
      throw error;
    }
  }

  private send(approval: Approval, settled: Settled, context: CallContext): Promise<Approval> {
    const { id: approvalId } = approval;
    if ('decision' in settled) return this.bus.request(decideApproval, { approvalId, ...settled }, context);
    const text = 'text' in settled ? settled.text : (pressedAnswer(approval, settled.answer) ?? '');
    return this.bus.request(answerApproval, { approvalId, text }, context);
  }

  private find(approvalId: string, context: CallContext): Promise<Approval | undefined> {
    return this.bus.request(getApproval, { approvalId }, context).catch((error: unknown) => {
      if (error instanceof RoostError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    });
  }

  /** The first decision counts: another's, or this one, where no answer to it came. */
  private async overBy(approvalId: string, context: CallContext): Promise<string> {
    const approval = await this.bus.request(getApproval, { approvalId }, context);
    return `This is over: ${outcomeOf(approval)}.`;
  }
}

/** `/approve`, `/deny` or `/answer`, and what stands behind it. */
export interface DecisionCommand {
  name: 'approve' | 'deny' | 'answer';
  rest: string;
  /** What commands begin with on this platform. */
  mark: string;
}

/** What may be the id that a command names. */
function firstOf(rest: string): { first: string; isId: boolean } {
  const [first = ''] = rest.trim().toLowerCase().split(/\s+/);
  return { first, isId: ID.test(first) };
}

/** A decision, an answer as it was typed, or the number of a button. */
type Settled = { decision: ApprovalDecision; message?: string } | { text: string } | { answer: number };

const aboutOf = ({ account_id: accountId, agent_id: agentId }: BindingRow) => ({ accountId, agentId });

const placeOf = ({ platform, bot_id: botId }: BindingRow, { place }: InboundMessage) => ({ platform, botId, place });

/** As whom the person decides. */
const contextOf = ({ account_id: accountId, platform }: BindingRow, userId: string): CallContext => ({
  ...callFor(accountId),
  actor: { type: 'person', id: `${platform}:${userId}` },
});

function mayDecide(binding: BindingRow, { agentId, approvers }: Approval, { actor }: CallContext): boolean {
  return agentId === binding.agent_id && (approvers === null || (actor !== undefined && approvers.includes(actor.id)));
}
