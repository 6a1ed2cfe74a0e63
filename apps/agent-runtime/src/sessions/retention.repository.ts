import type { Database } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';

/** What is deleted after how many days ($1), in batches. */
const OLD = {
  transcript: `transcript WHERE id = ANY(ARRAY(
     SELECT t.id FROM transcript t LEFT JOIN sessions s ON s.id = t.session_id
     WHERE t.created_at < now() - $1::int * interval '1 day'
       AND (t.is_compacted OR s.id IS NULL OR s.ended_at IS NOT NULL OR NOT s.is_persistent)
     LIMIT ${SWEEP_BATCH}))`,
  // The latest end stays: earlier messages are not part of the conversation's next context.
  sessions: `sessions WHERE id = ANY(ARRAY(
     SELECT s.id FROM sessions s WHERE s.ended_at < now() - $1::int * interval '1 day'
       AND EXISTS (SELECT FROM sessions later WHERE later.agent_id = s.agent_id
                     AND later.conversation_id = s.conversation_id AND later.ended_at > s.ended_at)
       AND NOT EXISTS (SELECT FROM transcript t WHERE t.session_id = s.id)
     LIMIT ${SWEEP_BATCH}))`,
  turnUsage: `turn_usage WHERE ctid = ANY(ARRAY(
     SELECT ctid FROM turn_usage WHERE created_at < now() - $1::int * interval '1 day' LIMIT ${SWEEP_BATCH}))`,
  attempts: `attempts WHERE ctid = ANY(ARRAY(
     SELECT ctid FROM attempts WHERE created_at < now() - $1::int * interval '1 day' LIMIT ${SWEEP_BATCH}))`,
  unfinishedTurns: `unfinished_turns WHERE ctid = ANY(ARRAY(
     SELECT ctid FROM unfinished_turns
     WHERE NOT is_suspended AND updated_at < now() - $1::int * interval '1 day' LIMIT ${SWEEP_BATCH}))`,
};

/** Deletes all that is older than so many days, some thousand rows at a time, until the signal. */
export async function deleteOld(
  database: Database,
  what: keyof typeof OLD,
  days: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  await inBatches(() => database.query(`DELETE FROM ${OLD[what]} RETURNING 1`, [days]), signal);
}
