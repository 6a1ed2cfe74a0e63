import { Bus, Consumes } from '#lib/bus';
import { ChatPlatform, messageCompleted, messageFailed, messagePosted, turnInterrupted } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Controller, Inject } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { ADAPTERS, type ChannelAdapter } from '../adapters/channel-adapter.js';
import { newestBinding } from '../bindings/bindings.repository.js';
import { type ConversationPlace, placeOf } from '../bindings/conversation-id.js';
import { DELIVER } from './deliver-hint.js';
import { attachedFiles } from './attached-files.js';
import { planPart } from './deliveries.repository.js';
import { endUnshown, previewOf, takePreviewOver } from './previews.repository.js';

type Ended = z.output<typeof messageCompleted.payload> | z.output<typeof messageFailed.payload>;

type Answered = Pick<Ended, 'accountId' | 'agentId' | 'turnId'> & {
  /** The agent's messages that are shown; none for a notice of ours. */
  replyIds?: string[];
};

/** Turns messaging's events into rows of what is to be shown where. */
@Controller()
export class DeliveriesController {
  constructor(
    private readonly bus: Bus,
    @Inject(ADAPTERS) private readonly adapters: ChannelAdapter[],
  ) {}

  /** To the place that the conversation is, or from the API to the newest link on each platform that was asked for. */
  @Consumes(
    messageCompleted,
    ({ messages }) => isOnPlatform(messages[0]?.conversation_id) || platformsOf(messages).length > 0,
  )
  async onCompleted(event: z.output<typeof messageCompleted.payload>, tx: Transaction): Promise<void> {
    const text = event.replies.map((reply) => reply.content).join('\n\n');
    const place = placeOf(event.messages[0]?.conversationId ?? '');
    const replyIds = event.replies.map(({ id }) => id);
    if (place) return this.planReply(tx, { ...event, replyIds }, place, text);
    for (const platform of platformsOf(event.messages)) {
      const binding = await newestBinding(tx, event.agentId, platform);
      if (!binding) continue;
      const to = { platform, botId: binding.bot_id, place: binding.place };
      await this.plan(tx, { ...event, replyIds, turnId: turnOn(platform, event.turnId) }, to, text);
    }
  }

  /** A reply that could not be shown fails, too: there is no use in showing that. */
  @Consumes(messageFailed, ({ messages }) => messages[0]?.role === 'user' && isOnPlatform(messages[0].conversation_id))
  async onFailed(event: z.output<typeof messageFailed.payload>, tx: Transaction): Promise<void> {
    const place = placeOf(event.messages[0]?.conversationId ?? '');
    if (place) await this.planReply(tx, event, place, `I could not answer this: ${event.error.message}`);
  }

  /** What the agent sent by itself belongs to no turn's preview: the message stands for a turn of its own. */
  @Consumes(messagePosted, ({ message }) => isOnPlatform(message.conversation_id))
  async onPosted({ message, ...event }: z.output<typeof messagePosted.payload>, tx: Transaction): Promise<void> {
    const place = placeOf(message.conversationId);
    if (place)
      await this.plan(
        tx,
        { ...event, turnId: message.id.replace(/^msg_/, ''), replyIds: [message.id] },
        place,
        message.content,
      );
  }

  /**
   * A preview that was being edited, by this attempt or an earlier one, gets the last text. Without one there is nothing
   * to correct, and what is still to come of the turn's text begins none: nothing would end it.
   */
  @Consumes(turnInterrupted)
  async onInterrupted(event: z.output<typeof turnInterrupted.payload>, tx: Transaction): Promise<void> {
    const { accountId, agentId, turnId, messageIds } = event;
    const place = placeOf(event.conversationId ?? '');
    if (place) {
      await takePreviewOver(tx, { ...place, agentId, turnId }, messageIds);
      if (await endUnshown(tx, { ...place, accountId, agentId, turnId })) return;
    }
    const shownAt = await previewOf(tx, turnId);
    if (shownAt) await this.plan(tx, event, shownAt, `${event.partialReply}\n\n(interrupted)`);
  }

  /** What a turn in this place ends with. */
  private async planReply(
    tx: Transaction,
    turn: Answered & Pick<Ended, 'messages'>,
    to: ConversationPlace,
    markdown: string,
  ): Promise<void> {
    const { agentId, turnId, messages } = turn;
    const answered = messages.map(({ id }) => id);
    await takePreviewOver(tx, { ...to, agentId, turnId }, answered);
    await this.plan(tx, turn, to, markdown);
  }

  private async plan(tx: Transaction, turn: Answered, to: ConversationPlace, markdown: string): Promise<void> {
    const adapter = this.adapters.find(({ platform }) => platform === to.platform);
    if (!adapter) return;
    const attached = attachedFiles(markdown);
    const texts = adapter.format(attached.markdown).map((body) => ({ body, path: null }));
    const files = attached.paths.map((path) => ({ body: '', path }));
    for (const [part, { body, path }] of [...texts, ...files].entries()) {
      const { accountId, agentId, turnId, replyIds = [] } = turn;
      await planPart(tx, { accountId, agentId, ...to, turnId, part, body, path, replyIds });
    }
    tx.afterCommit(() => this.bus.signal(DELIVER, { botId: to.botId }));
  }
}

function isOnPlatform(conversationId = ''): boolean {
  return placeOf(conversationId) !== undefined;
}

function platformsOf(messages: { channel: string }[]): ChatPlatform[] {
  const platforms = messages.map(({ channel }) => ChatPlatform.safeParse(channel).data);
  return [...new Set(platforms)].filter((platform) => platform !== undefined);
}

/** Deliveries are distinguished by turn and part: shown on several platforms, a reply stands for a turn of its own on each. */
function turnOn(platform: ChatPlatform, turnId: string): string {
  return createHash('sha256').update(`${platform}:${turnId}`).digest('hex').slice(0, 32);
}
