import { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { type Approval, getAgent, getApproval, RoostError } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { ADAPTERS, type ChannelAdapter } from '../adapters/channel-adapter.js';
import { type ConversationPlace, placeOf } from '../bindings/conversation-id.js';
import { BotsService } from '../connections/bots.service.js';
import { DELIVER } from '../outbound/deliver-hint.js';
import { questionOf, resultOf } from './card-text.js';
import { labelsOf, type WrittenAt } from './question-text.js';
import { peopleToAsk, planCard, questionsOf } from './cards.repository.js';

/** Plans where people are asked about a call, one place after the other until one shows it, and what they see afterwards. */
@Injectable()
export class ApprovalCards {
  constructor(
    private readonly bus: Bus,
    private readonly bots: BotsService,
    @Inject(ADAPTERS) private readonly adapters: ChannelAdapter[],
  ) {}

  /** Asks at the first place from this number on whose bot is there; does nothing where there is none. */
  async ask(tx: Transaction, accountId: string, shown: Approval, from = 0): Promise<void> {
    const approval = await this.whole(accountId, shown);
    const places = await this.placesOf(tx, approval);
    const route = await this.firstWithBot(places, from);
    const to = places[route];
    const adapter = this.adapters.find(({ platform }) => platform === to?.platform);
    if (!to || !adapter || approval.status !== 'pending') return;
    const name = await this.agentName(accountId, approval.agentId);
    const at = writtenAt(adapter, to.place);
    let text = questionOf(approval, name, at);
    if (adapter.format(text.markdown).length > 1) text = questionOf(approval, name, at, true);
    const about = { accountId, agentId: approval.agentId };
    const turnId = turnOf(approval.id, route);
    const { question } = approval;
    const card = { approvalId: approval.id, route, ...(question ? { labels: labelsOf(question) } : {}) };
    if (text.file !== null) await planCard(tx, about, to, { turnId, card: { ...card, kind: 'file' }, body: text.file });
    const [body = ''] = adapter.format(text.markdown);
    await planCard(tx, about, to, { turnId, card: { ...card, kind: 'ask' }, body });
    tx.afterCommit(() => this.bus.signal(DELIVER, { botId: to.botId }));
  }

  /** Takes the buttons away wherever it was asked, and says what became of it. */
  async close(tx: Transaction, accountId: string, shown: Approval): Promise<void> {
    const questions = await questionsOf(tx, accountId, shown.id);
    if (questions.length === 0) return;
    const approval = await this.whole(accountId, shown);
    const name = await this.agentName(accountId, approval.agentId);
    const { markdown } = resultOf(approval, name);
    for (const { turn_id: turnId, card, platform, botId, place } of questions) {
      const adapter = this.adapters.find((known) => known.platform === platform);
      const [body = ''] = adapter?.format(markdown) ?? [];
      const about = { accountId, agentId: approval.agentId };
      await planCard(tx, about, { platform, botId, place }, { turnId, card: { ...card, kind: 'result' }, body });
      tx.afterCommit(() => this.bus.signal(DELIVER, { botId }));
    }
  }

  /**
   * The conversation's own chat first, if somebody there may decide; then the chats of who may. A call of the API, a
   * schedule or a trigger is asked about in a chat where its owner named people, and of the latter two in any case.
   */
  private async placesOf(tx: Transaction, approval: Approval): Promise<ConversationPlace[]> {
    const { approvers, conversationId, source, agentId } = approval;
    const here = conversationId === null ? undefined : placeOf(conversationId);
    const people = await peopleToAsk(tx, agentId, approvers);
    if (!here) return source === 'api' && approvers === null ? [] : people;
    const isHere = (other: ConversationPlace) => keyOf(other) === keyOf(here);
    const isGroup = this.adapters.find(({ platform }) => platform === here.platform)?.isGroup(here.place) ?? false;
    const mayBeHere = approvers === null || isGroup || people.some(isHere);
    return mayBeHere ? [here, ...people.filter((other) => !isHere(other))] : people;
  }

  /** The number of that place; -1: there is none. A question for a bot that is gone would wait for it until it expires. */
  private async firstWithBot(places: ConversationPlace[], from: number): Promise<number> {
    const first = places[from];
    // It may have been added a moment ago.
    if (first && !this.bots.has(first)) await this.bots.refresh();
    return places.findIndex((place, route) => route >= from && this.bots.has(place));
  }

  /** With all of its arguments, which events leave out when they are long. */
  private whole(accountId: string, approval: Approval): Promise<Approval> | Approval {
    if (approval.arguments !== null) return approval;
    return this.bus.request(getApproval, { approvalId: approval.id }, callFor(accountId));
  }

  private async agentName(accountId: string, agentId: string): Promise<string> {
    try {
      return (await this.bus.request(getAgent, { agentId }, callFor(accountId))).name;
    } catch (error) {
      if (error instanceof RoostError && error.code === 'NOT_FOUND') return agentId;
      throw error;
    }
  }
}

export const callFor = (accountId: string) => ({ ...ownCall(`req_channels_${newId()}`), accountId });

/** In a group people write to each other, too: what they do not say to the bot answers nothing. */
function writtenAt(adapter: ChannelAdapter, place: string): WrittenAt {
  const { commandMark, hasReplies } = adapter;
  if (!adapter.isGroup(place)) return { commandMark, takes: 'all' };
  return { commandMark, takes: hasReplies ? 'replies' : 'mentions' };
}

const keyOf = ({ platform, botId, place }: ConversationPlace) => `${platform}:${botId}:${place}`;

/** The rows of one place stand for a turn of their own. */
function turnOf(approvalId: string, route: number): string {
  return createHash('sha256').update(`approval:${approvalId}:${route}`).digest('hex').slice(0, 32);
}
