import { countMessages, getMessage, interruptSubject, listMessages, sendMessage, WAKE_RUNTIME } from '#lib/contracts';
import { accountOf, Bus, type CallContext, Handles } from '#lib/bus';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { findAgent } from '../agents/agent-projection.js';
import { readMessage } from './get-message.js';
import { type MessageQuery, readMessages } from './list-messages.js';
import { ReplyWaiters } from './reply-waiters.js';
import { acceptMessage, type NewMessage } from './send-message.js';

@Controller()
export class MessagesHandlers {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly waiters: ReplyWaiters,
  ) {}

  @Handles(sendMessage)
  async send(message: NewMessage, context: CallContext) {
    const accountId = accountOf(context);
    await findAgent(this.database, this.bus, message.agentId, accountId);
    const { accepted } = await this.database.transaction((tx) => acceptMessage(tx, message, accountId));
    if (message.queueMode === 'interrupt') this.bus.signal(interruptSubject(message.agentId));
    this.bus.signal(WAKE_RUNTIME);
    return accepted;
  }

  @Handles(getMessage)
  async get(query: z.output<typeof getMessage.input>, context: CallContext) {
    return readMessage(this.database, this.waiters, query, accountOf(context));
  }

  @Handles(listMessages)
  async list(query: MessageQuery, context: CallContext) {
    await findAgent(this.database, this.bus, query.agentId, accountOf(context));
    return readMessages(this.database, query, accountOf(context));
  }

  @Handles(countMessages)
  async count({ agentIds }: { agentIds: string[] }, context: CallContext) {
    const rows = await this.database.query<{ agent_id: string; count: string }>(
      `SELECT agent_id, count(*) FROM messages WHERE agent_id = ANY($1::uuid[]) AND account_id = $2 GROUP BY agent_id`,
      [agentIds, accountOf(context)],
    );
    return { counts: Object.fromEntries(rows.map((row) => [row.agent_id, Number(row.count)])) };
  }
}
