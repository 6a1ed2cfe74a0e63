import type { ChatPlatform } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';
import type { ConversationPlace } from '../bindings/conversation-id.js';

/** All SQL of the questions among `deliveries`: about which calls people are asked, where, and what is still to be done. */

/** `file`: arguments that are too long for the question · `ask`: the question · `result`: what takes its place. */
export interface Card {
  kind: 'file' | 'ask' | 'result';
  approvalId: string;
  /** Which of the places it is that it may be shown at, from 0. */
  route: number;
  /** Of a question: what its buttons say; not there of a call of a tool. */
  labels?: string[];
}

interface CardRow extends ConversationPlace {
  id: string;
  account_id: string;
  agent_id: string;
  turn_id: string;
  state: string;
  card: Card;
}

const ROW = `id, account_id, agent_id, turn_id, state, card, platform, bot_id AS "botId", place`;

/** In this order, file first, so that nothing is asked whose arguments are not there. */
const PART: Record<Card['kind'], number> = { file: 0, ask: 1, result: 2 };

export async function planCard(
  tx: Transaction,
  agent: { accountId: string; agentId: string },
  { platform, botId, place }: ConversationPlace,
  { turnId, card, body }: { turnId: string; card: Card; body: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, card, state)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending') ON CONFLICT (turn_id, part) DO NOTHING`,
    [agent.accountId, agent.agentId, platform, botId, place, turnId, PART[card.kind], body, JSON.stringify(card)],
  );
}

/** Where an approval was asked, once for each place. */
export function questionsOf(queries: Queries, accountId: string, approvalId: string): Promise<CardRow[]> {
  return queries.query<CardRow>(
    `SELECT ${ROW} FROM deliveries
      WHERE card->>'approvalId' = $2 AND card IS NOT NULL AND account_id = $1 AND card->>'kind' = 'ask' ORDER BY id`,
    [accountId, approvalId],
  );
}

export interface OpenQuestion {
  id: string;
  /** It wants an answer, not a decision. */
  isQuestion: boolean;
  /** The message that shows it, as `Connection.send` gave it; null: not known. */
  messageId: string | null;
}

/** What an agent asked and is not over, the newest first: in one place, or anywhere. */
export async function openQuestions(
  database: Database,
  { accountId, agentId }: { accountId: string; agentId: string },
  at: ConversationPlace | undefined,
): Promise<OpenQuestion[]> {
  const rows = await database.query<OpenQuestion>(
    `SELECT a.card->>'approvalId' AS id, a.card ? 'labels' AS "isQuestion", a.message_id AS "messageId" FROM deliveries a
      WHERE a.card->>'kind' = 'ask' AND a.card IS NOT NULL AND a.account_id = $1 AND a.agent_id = $2
        AND ($3::text IS NULL OR (a.platform = $3 AND a.bot_id = $4 AND a.place = $5))
        AND NOT EXISTS (SELECT 1 FROM deliveries r WHERE r.turn_id = a.turn_id AND r.card->>'kind' = 'result')
      ORDER BY a.id DESC LIMIT 100`,
    [accountId, agentId, at?.platform ?? null, at?.botId ?? null, at?.place ?? null],
  );
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

/** Questions that were shown, or could not be, and that nothing followed from yet. */
export function questionsToFollowUp(database: Database, limit: number): Promise<CardRow[]> {
  return database.query<CardRow>(
    `SELECT ${ROW} FROM deliveries
      WHERE card->>'kind' = 'ask' AND NOT is_followed_up AND state IN ('done', 'uncertain', 'failed') ORDER BY id LIMIT $1`,
    [limit],
  );
}

export async function markFollowedUp(tx: Transaction, id: string): Promise<void> {
  await tx.query(`UPDATE deliveries SET is_followed_up = true WHERE id = $1`, [id]);
}

/** Who may be asked, newest link first: everybody who is linked with the agent, or those of them who are named. */
export async function peopleToAsk(
  tx: Transaction,
  agentId: string,
  approvers: string[] | null,
): Promise<ConversationPlace[]> {
  const rows = await tx.query<{ platform: ChatPlatform; bot_id: string; place: string }>(
    `SELECT platform, bot_id, place FROM bindings
      WHERE agent_id = $1 AND ($2::text[] IS NULL OR platform || ':' || user_id = ANY($2))
      ORDER BY created_at DESC, id DESC LIMIT 10`,
    [agentId, approvers],
  );
  return rows.map(({ platform, bot_id: botId, place }) => ({ platform, botId, place }));
}
