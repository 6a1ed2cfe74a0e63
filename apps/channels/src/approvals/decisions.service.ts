import { Bus } from '#lib/bus';
import type { CallContext } from '#lib/call-context';
import { decideApproval, getApproval, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { ApprovalDecision, InboundMessage } from '../adapters/channel-adapter.js';
import type { BindingRow } from '../bindings/bindings.repository.js';
import { outcomeOf, shortId } from './card-text.js';
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
    return this.decide(binding, sender.id, approvalId, decision);
  }

  /** `/approve [id]`, `/deny [id] [reason]`: without an id it is what was asked in this chat, if that is one thing. */
  async command(binding: BindingRow, message: InboundMessage, name: 'approve' | 'deny', rest: string): Promise<string> {
    const [first = '', ...words] = rest.trim().split(/\s+/);
    const about = { accountId: binding.account_id, agentId: binding.agent_id };
    const isId = ID.test(first);
    const { platform, bot_id: botId } = binding;
    const here = { platform, botId, place: message.place };
    const open = await openQuestions(this.database, about, isId ? undefined : here);
    const meant = isId ? open.filter((id) => id.endsWith(first.toLowerCase())) : open;
    const reason = isId && meant.length > 0 ? words.join(' ') : rest.trim();
    const [approvalId] = meant.length > 0 || !isId ? meant : [];
    if (approvalId === undefined) return isId ? 'There is no such question, or it is over.' : NONE;
    if (meant.length > 1) return `Which one? ${meant.map((id) => `/${name} ${shortId(id)}`).join(' · ')}`;
    const said = reason === '' ? undefined : reason.slice(0, MAX_REASON);
    return this.decide(binding, message.sender.id, approvalId, name === 'approve' ? 'allow_once' : 'deny', said);
  }

  private async decide(
    binding: BindingRow,
    userId: string,
    approvalId: string,
    decision: ApprovalDecision,
    message?: string,
  ): Promise<string> {
    const person = `${binding.platform}:${userId}`;
    const context: CallContext = { ...callFor(binding.account_id), actor: { type: 'person', id: person } };
    try {
      const { agentId, approvers } = await this.bus.request(getApproval, { approvalId }, context);
      const isLinked = agentId === binding.agent_id;
      if (!isLinked || (approvers !== null && !approvers.includes(person)))
        return 'You are not one of the people who may decide this.';
      const input = { approvalId, decision, ...(message === undefined ? {} : { message }) };
      const approval = await this.bus.request(decideApproval, input, context);
      return `Done: ${outcomeOf(approval)}.`;
    } catch (error) {
      if (!(error instanceof RoostError)) throw error;
      if (error.code === 'CONFLICT') return this.overBy(approvalId, context);
      if (error.code === 'NOT_FOUND') return 'There is no such question any more.';
      if (error.code === 'ACCESS_DENIED' || error.code === 'VALIDATION_ERROR') return error.message;
      throw error;
    }
  }

  /** The first decision counts. */
  private async overBy(approvalId: string, context: CallContext): Promise<string> {
    const approval = await this.bus.request(getApproval, { approvalId }, context);
    return `This is over: ${outcomeOf(approval)}.`;
  }
}
