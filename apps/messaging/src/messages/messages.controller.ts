import { Consumes, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  countMessages,
  deliveryFailed,
  getMessage,
  listMessages,
  markMessageRead,
  messageCreated,
  postMessage,
  recentTexts,
  sendMessage,
} from '#lib/contracts';
import { Database, eventHeaders, type Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import { countMessages as countRows } from '../conversations/conversations.repository.js';
import { MessagesService } from './messages.service.js';
import {
  getMessage as findMessage,
  isFinished,
  listMessages as findMessages,
  markRead,
  recentTexts as findTexts,
} from './messages.repository.js';
import { FinishedMessages } from './finished-messages.js';

type InputOf<C extends { input: z.ZodType }> = z.output<C['input']>;

@Controller()
export class MessagesController {
  constructor(
    private readonly database: Database,
    private readonly agents: AgentsService,
    private readonly messages: MessagesService,
    private readonly finished: FinishedMessages,
  ) {}

  @Handles(sendMessage)
  async send(input: InputOf<typeof sendMessage>, context: CallContext) {
    if (input.version !== undefined) await this.agents.requireVersion(input.agentId, input.version, context, 'version');
    const request = { input, accountId: accountOf(context), headers: eventHeaders(messageCreated) };
    const { message, interruptedIds } = await this.messages.send(request);
    this.finished.announce(interruptedIds);
    return message;
  }

  @Handles(postMessage)
  async post(input: InputOf<typeof postMessage>, context: CallContext) {
    await this.agents.require(input.agentId, context);
    return this.messages.post(accountOf(context), input);
  }

  @Handles(getMessage)
  async get({ agentId, messageId, waitSeconds }: InputOf<typeof getMessage>, context: CallContext) {
    const accountId = accountOf(context);
    // The answer must be on its way before the caller gives up.
    const waitMs = Math.min(waitSeconds * 1_000, context.deadline - Date.now() - 250);
    if (waitMs > 0)
      await this.finished.until(messageId, waitMs, () => isFinished(this.database, accountId, agentId, messageId));
    return findMessage(this.database, accountId, agentId, messageId, () => this.agents.require(agentId, context));
  }

  @Handles(listMessages)
  async list(query: InputOf<typeof listMessages>, context: CallContext) {
    return findMessages(this.database, accountOf(context), query, () => this.agents.require(query.agentId, context));
  }

  @Handles(recentTexts)
  recent(query: InputOf<typeof recentTexts>, context: CallContext) {
    return findTexts(this.database, accountOf(context), query);
  }

  @Handles(markMessageRead)
  read({ agentId, messageId }: InputOf<typeof markMessageRead>, context: CallContext) {
    return markRead(this.database, accountOf(context), agentId, messageId);
  }

  @Consumes(deliveryFailed)
  onDeliveryFailed(event: z.output<typeof deliveryFailed.payload>, tx: Transaction) {
    return this.messages.failDelivery(tx, event);
  }

  @Handles(countMessages)
  async count({ agentIds }: InputOf<typeof countMessages>, context: CallContext) {
    const rows = await countRows(this.database, accountOf(context), agentIds);
    return { counts: Object.fromEntries(rows.map((row) => [row.agent_id, Number(row.count)])) };
  }
}
