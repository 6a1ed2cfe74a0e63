import type { ClaimedTurn } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { ModelMessage } from 'ai';
import type { WaitingCall } from '../approvals/waiting-call.js';
import { type AttemptRecord, attemptParameters, writeAttempt } from '../runs/attempts.repository.js';

/** A tool call of the step that was under way. */
export interface OpenCall {
  toolCallId: string;
  toolName: string;
  input: unknown;
  /** Absent while it runs. */
  output?: { text: string; isError: boolean };
}

/** How far a turn had come. */
export interface UnfinishedWork {
  /** The attempt that did it: names its commands in the workspace. */
  turnId: string;
  /** The batch it answered. */
  messageIds: string[];
  /** That batch as the model was given it; absent in the work of an older version. */
  asked?: ModelMessage;
  /** The messages of model and tools in finished steps; the column keeps its first name. */
  said: ModelMessage[];
  /** The reply up to the end of those, and the text of the step under way. */
  reply: string;
  stepText: string;
  open: OpenCall[];
  /** Calls of the last finished step that a person is asked about; none in the work of an older version. */
  waiting?: WaitingCall[];
}

/** The work of turns whose worker may go away. Kept for the next attempt, forgotten when the turn ends. */
export class UnfinishedTurnsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Replaces what is known of the conversation's turn, unless a later attempt has written meanwhile; and what is shown
   * of this attempt.
   */
  async keep(turn: ClaimedTurn, work: UnfinishedWork, attempt: AttemptRecord): Promise<void> {
    await this.database.query(
      `WITH attempt AS (${writeAttempt(7)})
       INSERT INTO unfinished_turns AS known (agent_id, conversation_id, account_id, turn_id, fencing_token, work, is_suspended)
       VALUES ($1, $2, $3, $4, $5, $6, $19)
       ON CONFLICT (agent_id, conversation_id) DO UPDATE
         SET turn_id = excluded.turn_id, fencing_token = excluded.fencing_token, work = excluded.work, updated_at = now(),
           is_suspended = excluded.is_suspended
         WHERE known.fencing_token <= excluded.fencing_token`,
      [
        turn.agentId,
        turn.conversationId,
        turn.accountId,
        turn.turnId,
        turn.fencingToken,
        JSON.stringify(work),
        ...attemptParameters(turn, attempt),
        (work.waiting ?? []).length > 0,
      ],
    );
  }
}
