import { recordAudit } from '#lib/audit';
import type { ClaimedTurn } from '#lib/contracts';
import { type Database, newId } from '#lib/database';
import type { ModelMessage } from 'ai';
import { type AttemptRecord, attemptParameters, writeAttempt } from '../runs/attempts.repository.js';
import type { UnfinishedWork } from './unfinished-turns.repository.js';

/** A conversation's open session as a turn finds it. */
export interface Session {
  /** null until the first turn has been stored. */
  id: string | null;
  /** When the session before this one ended, if there was one: earlier messages are not part of this. */
  since: Date | null;
  /** Input tokens of the latest model step, 0 if unknown. */
  contextTokens: number;
  /** The agent's memory as it was last seen. */
  memory: string;
  /** A session of this conversation that was ended, and whose end is still to be marked. */
  toClose: string | null;
  /** What an earlier attempt to answer this conversation had done. */
  unfinished: UnfinishedWork | null;
  /** Whether the agent may use a server of the registry: most may use none, and to ask for them by itself costs more. */
  mayUseServers: boolean;
}

/** A message of the session's context, with its row, so that compaction can record what it replaced. */
export interface ContextRow {
  id: string;
  message: ModelMessage;
}

export interface TurnRecord {
  /** Questions and answers, in order. */
  messages: ModelMessage[];
  /** So many of the first of them are kept for reading alone: later prompts leave them out. */
  leftOut: number;
  isInterrupted: boolean;
  contextTokens: number;
  /** What happened, and what it used. */
  attempt: AttemptRecord;
  isPersistent: boolean;
  /** The attempt whose work this one went on with: it may have stored the same. */
  earlierTurnId?: string | undefined;
  /** What the turn did stays written down until messaging knows that it is over: an attempt after this one repeats no call. */
  keepsWork: boolean;
}

type ConversationKey = Pick<ClaimedTurn, 'agentId' | 'accountId' | 'conversationId'>;

/** Sessions and their transcripts. Everything here is idempotent by turn: a later attempt replaces an earlier one's rows. */
export class SessionsRepository {
  constructor(private readonly database: Database) {}

  async current({ agentId, accountId, conversationId }: ConversationKey): Promise<Session> {
    const [row] = await this.database.query<{
      id: string | null;
      context_tokens: number | null;
      since: Date | null;
      memory: string | null;
      to_close: string | null;
      work: string | null;
      may_use_servers: boolean;
    }>(
      `SELECT open.id, open.context_tokens,
         (SELECT max(ended_at) FROM sessions WHERE agent_id = $1 AND conversation_id = $2 AND ended_at IS NOT NULL) AS since,
         (SELECT id FROM sessions WHERE agent_id = $1 AND conversation_id = $2 AND ended_at IS NOT NULL AND closed_at IS NULL
          ORDER BY ended_at DESC LIMIT 1) AS to_close,
         (SELECT work FROM unfinished_turns WHERE agent_id = $1 AND conversation_id = $2) AS work,
         (SELECT content FROM memory_copies WHERE agent_id = $1) AS memory,
         EXISTS (SELECT FROM mcp_access WHERE agent_id = $1 AND account_id = $3) AS may_use_servers
       FROM (SELECT 1) AS always
       LEFT JOIN sessions AS open ON open.agent_id = $1 AND open.conversation_id = $2 AND open.ended_at IS NULL`,
      [agentId, conversationId, accountId],
    );
    return {
      id: row?.id ?? null,
      since: row?.since ?? null,
      contextTokens: row?.context_tokens ?? 0,
      memory: row?.memory ?? '',
      toClose: row?.to_close ?? null,
      unfinished: row?.work ? (JSON.parse(row.work) as UnfinishedWork) : null,
      mayUseServers: row?.may_use_servers ?? false,
    };
  }

  /** What a persistent session has in its context: the summary if there is one, then all messages since. */
  async context(sessionId: string, exceptTurnId: string): Promise<ContextRow[]> {
    const rows = await this.database.query<{ id: string; content: string }>(
      `SELECT id, content FROM transcript
       WHERE session_id = $1 AND NOT is_compacted AND turn_id IS DISTINCT FROM $2
       ORDER BY kind = 'summary' DESC, id`,
      [sessionId, exceptTurnId],
    );
    return rows.map(({ id, content }) => ({ id, message: JSON.parse(content) as ModelMessage }));
  }

  /** Stores a turn's part of the transcript and what happened in it: one statement, one commit. */
  async store(turn: ClaimedTurn, record: TurnRecord): Promise<void> {
    await this.database.query(
      `WITH session AS (
         INSERT INTO sessions (id, account_id, agent_id, conversation_id, context_tokens, is_persistent) VALUES ($1, $2, $3, $4, $5, $10)
         ON CONFLICT (agent_id, conversation_id) WHERE ended_at IS NULL
         DO UPDATE SET context_tokens = excluded.context_tokens, is_persistent = excluded.is_persistent, last_turn_at = now()
         RETURNING id
       ), earlier AS (
         DELETE FROM transcript WHERE turn_id = $6 OR turn_id = $23
       ), attempt AS (${writeAttempt(11, 'session.id', 'FROM session')}
       ), finished AS (
         DELETE FROM unfinished_turns
         WHERE agent_id = $3 AND conversation_id = $4 AND fencing_token <= $7 AND NOT $24::boolean
       ), key_works AS (
         DELETE FROM refused_keys WHERE agent_id = $3 AND NOT $8
       )
       INSERT INTO transcript (account_id, agent_id, session_id, turn_id, kind, content, is_interrupted, is_compacted)
       SELECT $2, $3, session.id, $6, 'message', message.content, $8, message.position <= $25::int
       FROM session, unnest($9::text[]) WITH ORDINALITY AS message (content, position) ORDER BY message.position`,
      [
        newId(),
        turn.accountId,
        turn.agentId,
        turn.conversationId,
        record.contextTokens,
        turn.turnId,
        turn.fencingToken,
        record.isInterrupted,
        record.messages.map((message) => JSON.stringify(message)),
        record.isPersistent,
        ...attemptParameters(turn, record.attempt),
        record.earlierTurnId ?? null,
        record.keepsWork,
        record.leftOut,
      ],
    );
  }

  /**
   * Moves what a turn left unfinished to the transcript of the open session; returns whether it was still there. Not what
   * was done before the session began.
   */
  async storeLeft(
    { agentId, accountId, conversationId }: ConversationKey,
    turnId: string,
    messages: ModelMessage[],
  ): Promise<boolean> {
    const stored = await this.database.query(
      `WITH left_turn AS (
         DELETE FROM unfinished_turns WHERE agent_id = $3 AND account_id = $2 AND conversation_id = $4 AND turn_id = $5
           AND updated_at > coalesce(
             (SELECT max(ended_at) FROM sessions WHERE agent_id = $3 AND conversation_id = $4 AND ended_at IS NOT NULL), '-infinity')
         RETURNING turn_id
       ), session AS (
         INSERT INTO sessions (id, account_id, agent_id, conversation_id, is_persistent)
         SELECT $1, $2, $3, $4, true FROM left_turn
         WHERE NOT EXISTS (SELECT FROM transcript WHERE turn_id = $5)
         ON CONFLICT (agent_id, conversation_id) WHERE ended_at IS NULL DO UPDATE SET last_turn_at = now()
         RETURNING id
       )
       INSERT INTO transcript (account_id, agent_id, session_id, turn_id, kind, content, is_interrupted)
       SELECT $2, $3, session.id, $5, 'message', message.content, true
       FROM session, unnest($6::text[]) WITH ORDINALITY AS message (content, position) ORDER BY message.position
       RETURNING id`,
      [newId(), accountId, agentId, conversationId, turnId, messages.map((message) => JSON.stringify(message))],
    );
    return stored.length > 0;
  }

  /** Messaging knows that the turn is over: nobody goes on with it. */
  async forgetWork({
    agentId,
    accountId,
    conversationId,
    turnId,
  }: ConversationKey & { turnId: string }): Promise<void> {
    await this.database.query(
      `DELETE FROM unfinished_turns WHERE agent_id = $1 AND account_id = $2 AND conversation_id = $3 AND turn_id = $4`,
      [agentId, accountId, conversationId, turnId],
    );
  }

  /** Takes back what a turn stored that messaging then gave to another worker. */
  async forgetTurn({ turnId }: Pick<ClaimedTurn, 'turnId'>): Promise<void> {
    await this.database.query(`DELETE FROM transcript WHERE turn_id = $1`, [turnId]);
  }

  /** Says that what is to be done at an ended session's end was done; `messages` go to its transcript. */
  async close({ agentId, accountId }: ConversationKey, sessionId: string, messages: ModelMessage[]): Promise<void> {
    await this.database.query(
      `WITH closed AS (UPDATE sessions SET closed_at = now() WHERE id = $3 AND closed_at IS NULL RETURNING id)
       INSERT INTO transcript (account_id, agent_id, session_id, kind, content)
       SELECT $2, $1, closed.id, 'message', message.content
       FROM closed, unnest($4::text[]) WITH ORDINALITY AS message (content, position) ORDER BY message.position`,
      [agentId, accountId, sessionId, messages.map((message) => JSON.stringify(message))],
    );
  }

  /** Puts a summary in place of the rows that it sums up; they stay readable. */
  async compact(
    { agentId, accountId }: ConversationKey,
    sessionId: string,
    replaced: ContextRow[],
    summary: ModelMessage,
    contextTokens: number,
  ): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.query(`UPDATE transcript SET is_compacted = true WHERE session_id = $1 AND id = ANY($2::bigint[])`, [
        sessionId,
        replaced.map(({ id }) => id),
      ]);
      await tx.query(
        `INSERT INTO transcript (account_id, agent_id, session_id, kind, content) VALUES ($1, $2, $3, 'summary', $4)`,
        [accountId, agentId, sessionId, JSON.stringify(summary)],
      );
      await tx.query(`UPDATE sessions SET context_tokens = $2 WHERE id = $1`, [sessionId, contextTokens]);
    });
  }

  /** Ends the open sessions of an agent, or the one of a conversation; the next turn starts afresh. */
  async end(agentId: string, conversationId?: string): Promise<number> {
    return this.database.transaction(async (tx) => {
      const ended = await tx.query(
        `UPDATE sessions SET ended_at = now() WHERE agent_id = $1 AND ended_at IS NULL AND ($2::text IS NULL OR conversation_id = $2) RETURNING id`,
        [agentId, conversationId ?? null],
      );
      await recordAudit(tx, { action: 'session.reset', target: { type: 'agent', id: agentId } });
      return ended.length;
    });
  }

  async rememberMemory(
    { agentId, accountId }: Pick<ConversationKey, 'agentId' | 'accountId'>,
    content: string,
  ): Promise<void> {
    await this.database.query(
      `INSERT INTO memory_copies (agent_id, account_id, content) VALUES ($1, $2, $3)
       ON CONFLICT (agent_id) DO UPDATE SET content = excluded.content, seen_at = now()`,
      [agentId, accountId, content.replaceAll('\0', '')],
    );
  }
}
