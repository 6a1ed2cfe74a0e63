import { recordAudit } from '#lib/audit';
import { Bus } from '#lib/bus';
import { type CallContext, ownCall } from '#lib/call-context';
import { type ErrorCode, RoostError, resetSessions, sendMessage } from '#lib/contracts';
import type { z } from 'zod';
import { Database, newId } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { ChannelAdapter, InboundMessage } from '../adapters/channel-adapter.js';
import { bindingOfPerson, type BindingRow, clearUnreachable, deleteBinding } from '../bindings/bindings.repository.js';
import { conversationIdOf } from '../bindings/conversation-id.js';
import { LinkCodesService } from '../links/link-codes.service.js';
import { ApprovalDecisions, type DecisionCommand } from '../approvals/decisions.service.js';
import { mayPass } from '../adapters/may-pass.js';
import { bracketed } from './context-text.js';
import type { InHand } from './inbound-events.repository.js';
import { type FromPlatform, ReceiveFilesService, Unlinked } from './receive-files.service.js';

const helpOf = (mark: string) => `${mark}link CODE: talk to an agent
${mark}unlink: stop talking to it
${mark}status: which agent this is
${mark}stop: interrupt what it is doing
${mark}new: start a fresh conversation
${mark}approve, ${mark}deny REASON: decide about a tool that the agent asks for
${mark}answer TEXT: answer a question of the agent
${mark}help: this list
In a group mention me or reply to me; ${mark}approve ID, ${mark}deny ID and ${mark}answer need no mention.`;
const NOT_LINKED = 'You are not linked with an agent yet. Ask its owner for a code and send /link CODE.';
const NOT_A_PERSON = 'You write in the name of a chat, which cannot be linked with an agent: write as yourself.';
const MAX_CHARACTERS = 100_000;
/** For the agent, of what is meant for it and has nothing else to be read: the person waits for an answer. */
const NO_WORDS = bracketed('Mentioned you without words');
const UNREADABLE = bracketed('Sent something that cannot be read here');
/** Not for what is in the message. */
const NOT_NOW: ErrorCode[] = ['AGENT_UNAVAILABLE', 'NOT_FOUND', 'QUOTA_EXCEEDED'];

export interface Received {
  /** To be shown to the sender; not there when the bot stays silent or the agent answers. */
  answer?: string;
  /** The message that was queued for the agent. */
  queued?: { messageId: string; accountId: string; agentId: string };
}

type ForAgent = { text: string } & Pick<z.output<typeof sendMessage.input>, 'queueMode'> &
  Partial<Pick<z.output<typeof sendMessage.input>, 'metadata'>>;

/** What becomes of a message from a chat: a command is carried out, anything else goes to the linked agent. */
@Injectable()
export class ReceiveMessageService {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly codes: LinkCodesService,
    private readonly files: ReceiveFilesService,
    private readonly decisions: ApprovalDecisions,
  ) {}

  /** May be repeated with the same message. Throws when messaging or the workspace is away: it is then tried again. */
  async receive(
    botId: string,
    message: InboundMessage,
    from: Omit<FromPlatform, 'eventId'>,
    inHand: InHand,
  ): Promise<Received> {
    const { adapter } = from;
    const { platform } = adapter;
    const command = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i.exec(message.text);
    const binding = await bindingOfPerson(this.database, { platform, botId }, message.sender.id);
    if (message.press) return { answer: await this.decisions.press(binding, message, message.press) };
    const name = command?.[1]?.toLowerCase();
    const rest = command?.[2] ?? '';
    const decision = isDecision(name) ? { name, rest, mark: adapter.commandMark } : undefined;
    if (!message.isDirect && !message.isAddressed && binding?.listen !== 'all')
      return binding && decision
        ? answered(await this.decisions.unaddressedCommand(binding, message, decision, inHand))
        : {};
    if (name === 'link') return this.link(adapter, botId, message, rest);
    if (name === 'help' || name === 'start') return { answer: helpOf(adapter.commandMark) };
    if (!binding) return { answer: message.sender.isChat ? NOT_A_PERSON : NOT_LINKED };
    const chat = adapter.chatOf(message.place);
    if (binding.unreachable_place === chat) await clearUnreachable(this.database, { platform, botId }, chat);
    if (decision) return answered(await this.decisions.command(binding, message, decision, inHand));
    switch (name) {
      case 'unlink':
        await this.database.transaction(async (tx) => {
          await deleteBinding(tx, binding.id);
          await recordAudit(tx, {
            action: 'channel.unlinked',
            target: { type: 'agent', id: binding.agent_id },
            accountId: binding.account_id,
            actor: { type: 'person', id: `${platform}:${message.sender.id}` },
            fields: [platform],
          });
        });
        return { answer: 'Unlinked. Nothing is delivered here any more.' };
      case 'status':
        return { answer: `Linked with agent ${binding.agent_id}. New messages: ${binding.queue_mode}.` };
      case 'new':
        await this.bus.request(
          resetSessions,
          { agentId: binding.agent_id, conversationId: conversationIdOf({ platform, botId, place: message.place }) },
          contextOf(binding, message.sender.id),
        );
        return { answer: 'A fresh conversation begins.' };
      case 'stop':
        return this.toAgent(binding, message, { text: 'Stop what you are doing.', queueMode: 'interrupt' });
      default:
        return (
          (await this.asAnswer(binding, message, inHand)) ??
          this.withFiles(binding, message, { ...from, eventId: `${platform}:${botId}:${message.eventId}` })
        );
    }
  }

  /** What is written to the bot, and answers a question. */
  private async asAnswer(binding: BindingRow, message: InboundMessage, inHand: InHand): Promise<Received | undefined> {
    if (!message.isDirect && !message.isAddressed) return undefined;
    const { context = [], replyTo, files, text } = message;
    // Of what it replies to there is a quote.
    const isMore = files.length > 0 || context.length > (replyTo === undefined ? 0 : 1);
    if (isMore || text.trim() === '') return undefined;
    const answer = await this.decisions.reply(binding, message, inHand);
    return answer === undefined ? undefined : { answer };
  }

  private async link(adapter: ChannelAdapter, botId: string, message: InboundMessage, code: string): Promise<Received> {
    if (!message.isDirect) return { answer: 'Send /link to me in a direct message.' };
    const chat = adapter.chatOf(message.place);
    const { platform } = adapter;
    const redeemed = await this.codes.redeem({ platform, botId }, message, chat, code).catch((error: unknown) => {
      if (error instanceof RoostError && error.code === 'QUOTA_EXCEEDED') return { outcome: 'full' as const };
      throw error;
    });
    if (redeemed.outcome === 'full')
      return {
        answer: 'As many people are linked with agents of this account as it may have. Ask its owner for room.',
      };
    if (redeemed.outcome === 'silent') return {};
    if (redeemed.outcome === 'refused') return { answer: 'This code is wrong or has expired. Ask for a new one.' };
    const note = redeemed.replaced ? ' You were linked with another agent here; this one answers from now on.' : '';
    return { answer: `You are talking to ${redeemed.agentName} now.${note}` };
  }

  /** A message with its files: they are in the workspace before the agent receives it. */
  private async withFiles(binding: BindingRow, message: InboundMessage, from: FromPlatform): Promise<Received> {
    const texts = [...(message.context ?? []), message.text].filter((part) => part.trim() !== '');
    if (texts.length === 0 && message.files.length === 0) {
      if (!message.isDirect && !message.isAddressed) return {};
      texts.push(message.isAddressed ? NO_WORDS : UNREADABLE);
    }
    try {
      const { saved, refused } = await this.files.save(binding, message.files, from);
      const list = saved.map(({ path, size }) => `- ${path} (${size} bytes)`).join('\n');
      const text = [...texts, list && `Files that came with this message:\n${list}`].filter(Boolean).join('\n\n');
      const answer = refused.length > 0 ? { answer: refused.join('\n') } : {};
      if (text === '') return answer;
      const files = saved.length > 0 ? { metadata: { files: saved.map(({ path, size }) => ({ path, size })) } } : {};
      return {
        ...(await this.toAgent(binding, message, { text, queueMode: binding.queue_mode, ...files })),
        ...answer,
      };
    } catch (error) {
      if (error instanceof Unlinked) return { answer: 'You were unlinked meanwhile: this did not reach the agent.' };
      return refusal(error);
    }
  }

  private async toAgent(
    binding: BindingRow,
    message: InboundMessage,
    { text, queueMode, metadata }: ForAgent,
  ): Promise<Received> {
    if (text.length > MAX_CHARACTERS) return { answer: `This is too long: at most ${MAX_CHARACTERS} characters.` };
    const { platform, bot_id: botId } = binding;
    try {
      const accepted = await this.bus.request(
        sendMessage,
        {
          agentId: binding.agent_id,
          content: text,
          metadata: metadata ?? {},
          channel: platform,
          queueMode,
          conversationId: conversationIdOf({ platform, botId, place: message.place }),
          counterparty: { id: message.sender.id, displayName: message.sender.displayName.slice(0, 255) },
          dedupeKey: `${platform}:${botId}:${message.eventId}`,
        },
        contextOf(binding, message.sender.id),
      );
      return { queued: { messageId: accepted.id, accountId: binding.account_id, agentId: binding.agent_id } };
    } catch (error) {
      return refusal(error);
    }
  }
}

const isDecision = (name: string | undefined): name is DecisionCommand['name'] =>
  name === 'approve' || name === 'deny' || name === 'answer';

const answered = (answer: string | undefined): Received => (answer === undefined ? {} : { answer });

/** The reason, for the sender. Throws what is tried again. */
function refusal(error: unknown): Received {
  if (!(error instanceof RoostError) || error.code === 'INTERNAL' || mayPass(error)) throw error;
  const what = NOT_NOW.includes(error.code) ? 'The agent cannot answer now' : 'This did not reach the agent';
  return { answer: `${what}: ${error.message}` };
}

function contextOf({ account_id: accountId, platform }: BindingRow, senderId: string): CallContext {
  const actor = { type: 'person', id: `${platform}:${senderId}` } as const;
  return { ...ownCall(`req_channels_${newId()}`), accountId, actor };
}
