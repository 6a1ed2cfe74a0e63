import { Bus, ownCall } from '#lib/bus';
import { type ChatPlatform, RoostError, resetSessions, sendMessage } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { InboundMessage } from '../adapters/channel-adapter.js';
import { type BindingRow, Bindings } from '../bindings/bindings.js';
import { conversationIdOf } from '../bindings/conversation-id.js';
import { redeemCode } from '../links/redeem-link-code.js';

const HELP = `/link CODE: talk to an agent
/unlink: stop talking to it
/status: which agent this is
/stop: interrupt what it is doing
/new: start a fresh conversation
/help: this list`;
const NOT_LINKED = 'You are not linked with an agent yet. Ask its owner for a code and send /link CODE.';
const MOST_CHARACTERS = 100_000;

export interface Received {
  /** To be shown to the sender; not there when the bot stays silent or the agent answers. */
  answer?: string;
  /** The message that was queued for the agent. */
  queued?: { messageId: string; accountId: string; agentId: string };
}

/** What becomes of a message from a chat: a command is carried out, anything else goes to the linked agent. */
@Injectable()
export class ReceiveMessage {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly bindings: Bindings,
  ) {}

  /** Safe when it resolves. Throws when messaging is away: the platform then keeps the message and we ask again. */
  async receive(platform: ChatPlatform, botId: string, message: InboundMessage): Promise<Received> {
    const command = /^\/([a-z]+)(?:@\w+)?(?:\s+([\s\S]*))?$/i.exec(message.text);
    if (!message.isDirect && !message.isAddressed && !command?.[0].includes('@')) return {};
    const name = command?.[1]?.toLowerCase();
    if (name === 'link') return this.link(platform, botId, message, command?.[2] ?? '');
    if (name === 'help' || name === 'start') return { answer: HELP };
    const binding = await this.bindings.ofPerson(platform, botId, message.sender.id);
    if (!binding) return { answer: NOT_LINKED };
    switch (name) {
      case 'unlink':
        await this.bindings.remove(binding.id);
        return { answer: 'Unlinked. Nothing is delivered here any more.' };
      case 'status':
        return { answer: `Linked with agent ${binding.agent_id}. New messages: ${binding.queue_mode}.` };
      case 'new':
        await this.bus.request(
          resetSessions,
          { agentId: binding.agent_id, conversationId: conversationIdOf({ platform, botId, place: message.place }) },
          contextOf(binding),
        );
        return { answer: 'A fresh conversation begins.' };
      case 'stop':
        return this.toAgent(binding, message, 'Stop what you are doing.', 'interrupt');
      default:
        return this.toAgent(binding, message, message.text, binding.queue_mode);
    }
  }

  private async link(platform: ChatPlatform, botId: string, message: InboundMessage, code: string): Promise<Received> {
    if (!message.isDirect) return { answer: 'Send /link to me in a direct message.' };
    const redeemed = await redeemCode(this.database, platform, botId, message, code);
    if (redeemed.outcome === 'silent') return {};
    if (redeemed.outcome === 'refused') return { answer: 'This code is wrong or has expired. Ask for a new one.' };
    const note = redeemed.replaced ? ' You were linked with another agent here; this one answers from now on.' : '';
    return { answer: `You are talking to ${redeemed.agentName} now.${note}` };
  }

  private async toAgent(
    binding: BindingRow,
    message: InboundMessage,
    text: string,
    queueMode: BindingRow['queue_mode'],
  ): Promise<Received> {
    if (message.files.length > 0 && text === '')
      return { answer: 'I cannot take files here yet; write to me instead.' };
    if (text === '') return {};
    if (text.length > MOST_CHARACTERS) return { answer: `This is too long: at most ${MOST_CHARACTERS} characters.` };
    const { platform, bot_id: botId } = binding;
    try {
      const accepted = await this.bus.request(
        sendMessage,
        {
          agentId: binding.agent_id,
          content: text,
          metadata: {},
          channel: platform,
          queueMode,
          conversationId: conversationIdOf({ platform, botId, place: message.place }),
          counterparty: { id: message.sender.id, displayName: message.sender.displayName.slice(0, 255) },
          dedupeKey: `${platform}:${botId}:${message.eventId}`,
        },
        contextOf(binding),
      );
      return { queued: { messageId: accepted.id, accountId: binding.account_id, agentId: binding.agent_id } };
    } catch (error) {
      // Asking again would not help; everything else is tried again.
      if (error instanceof RoostError && (error.code === 'AGENT_UNAVAILABLE' || error.code === 'NOT_FOUND')) {
        return { answer: `The agent cannot answer now: ${error.message}` };
      }
      throw error;
    }
  }
}

function contextOf(binding: BindingRow) {
  return { ...ownCall(`req_channels_${newId()}`), accountId: binding.account_id };
}
