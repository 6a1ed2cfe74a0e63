import { setTimeout as sleep } from 'node:timers/promises';
import { TelegramPlatform, until } from '#lib/testing';
import pg from 'pg';
import { answeredIn, markOf } from '../../doubles/stand-in-model.js';
import type { Record } from '../record.js';
import type { Client } from './client.js';

export interface ChatLoadOptions {
  client: Client;
  record: Record;
  telegram: TelegramPlatform;
  databaseUrl: string;
  chats: number;
  /** Between two messages in one chat. */
  everyMs: number;
}

interface Chat {
  agentId: string;
  token: string;
  userId: number;
  said: number[];
}

const LINK_MS = 60_000;

/** People who write to a Telegram bot each: what the bot shows in their chat is what counts. */
export class ChatLoad {
  private readonly chats: Chat[] = [];

  constructor(private readonly options: ChatLoadOptions) {}

  async prepare(): Promise<void> {
    const { client, telegram, chats } = this.options;
    for (let count = 0; count < chats; count += 1) {
      const token = `${7_000 + count}:token-of-a-bot-as-botfather-gives-it`;
      telegram.addBot(token);
      const body = { name: `chat-${count}`, telegram_bot_token: token };
      const { id: agentId } = await client.ask<{ id: string }>('POST', '/v1/agent/create', body);
      const chat = { agentId, token, userId: 100 + count, said: [] };
      const { code } = await client.ask<{ code: string }>('POST', `/v1/agent/${agentId}/telegram/link`);
      await telegram.say(token, chat.userId, `/link ${code}`);
      await until('the person is linked', () => this.texts(chat).some((text) => text.includes('You are talking to')), {
        timeoutMs: LINK_MS,
      });
      this.chats.push(chat);
    }
  }

  async run(isOver: () => boolean): Promise<void> {
    const { record, telegram, everyMs } = this.options;
    await Promise.all(
      this.chats.map(async (chat) => {
        while (!isOver()) {
          const n = record.nextNumber();
          record.write({ kind: 'sent', n, agent: chat.agentId, conversation: String(chat.userId), via: 'chat' });
          chat.said.push(n);
          await telegram.say(chat.token, chat.userId, `message ${markOf(n)}`);
          await sleep(everyMs);
        }
      }),
    );
  }

  /** How many messages have no reply in their chat, and none that may be there. */
  async missing(): Promise<number> {
    const uncertain = await this.uncertain();
    return this.chats.reduce((sum, chat) => {
      const shown = new Set([...this.texts(chat), ...(uncertain.get(chat.agentId) ?? [])].flatMap(answeredIn));
      return sum + chat.said.filter((n) => !shown.has(n)).length;
    }, 0);
  }

  /** Records what each chat shows, and what is listed as uncertain. */
  async read(): Promise<void> {
    const { record } = this.options;
    const uncertain = await this.uncertain();
    for (const chat of this.chats) {
      const of = (kind: 'shown' | 'uncertain') => (text: string) =>
        record.write({ kind, chat: chat.agentId, numbers: answeredIn(text) });
      this.texts(chat).filter(isAnswer).forEach(of('shown'));
      (uncertain.get(chat.agentId) ?? []).filter(isAnswer).forEach(of('uncertain'));
    }
  }

  private texts({ userId }: Chat): string[] {
    return this.options.telegram.textsIn(userId);
  }

  /** By agent, of each part: the API says it of the whole reply. */
  private async uncertain(): Promise<Map<string, string[]>> {
    const client = new pg.Client({ connectionString: this.options.databaseUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ agent_id: string; body: string }>(
        `SELECT agent_id, body FROM channels.deliveries WHERE state = 'uncertain'`,
      );
      return bodiesByAgent(rows);
    } finally {
      await client.end();
    }
  }
}

const isAnswer = (text: string) => answeredIn(text).length > 0;

function bodiesByAgent(rows: { agent_id: string; body: string }[]): Map<string, string[]> {
  const bodies = new Map<string, string[]>();
  for (const { agent_id: agent, body } of rows) bodies.set(agent, [...(bodies.get(agent) ?? []), body]);
  return bodies;
}
