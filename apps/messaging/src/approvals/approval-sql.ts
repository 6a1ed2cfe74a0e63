import { MAX_LISTED_BYTES } from '#lib/contracts';

/** A text of a row `a` when it is short enough for a list or an event. */
const short = (column: string, isWhole: boolean) =>
  isWhole ? column : `CASE WHEN octet_length(${column}) <= ${MAX_LISTED_BYTES} THEN ${column} END`;

/** The row `a` of `approvals` in the wire form of contracts' Approval. */
export const wireApproval = (isWhole: boolean) => `
  jsonb_build_object('id', a.id, 'agent_id', a.agent_id, 'run_id', a.run_id, 'turn_id', a.turn_id,
    'conversation_id', a.conversation_id, 'source', a.source, 'kind', a.kind, 'tool', a.tool,
    'tool_call_id', a.tool_call_id, 'arguments', ${short('a.arguments', isWhole)},
    'grant_id', a.grant_id, 'argument_bytes', octet_length(a.arguments), 'hash', a.hash, 'rule', a.rule, 'approvers', a.approvers,
    'status', a.status, 'created_at', wire_time(a.created_at), 'expires_at', wire_time(a.expires_at),
    'decided_at', wire_time(a.decided_at), 'decided_by', ${decider('a')}, 'decision', a.decision,
    'message', a.message, 'edited_arguments', ${short('a.edited_arguments', isWhole)},
    'question', CASE WHEN a.kind = 'question' THEN a.arguments::jsonb END, 'answer', a.answer::jsonb,
    'started_at', wire_time(a.started_at), 'shown', a.shown)`;

function decider(row: string): string {
  return `CASE WHEN ${row}.decided_by_type IS NOT NULL THEN
    jsonb_build_object('type', ${row}.decided_by_type, 'id', ${row}.decided_by_id) END`;
}

/**
 * What was decided about the calls that the run $n was last suspended for, in the wire form of contracts' DecidedCall. By
 * the database's clock: workers make the ids.
 */
export const decidedCalls = (runId: string, most: number) => `
  (SELECT jsonb_agg(jsonb_build_object('approval_id', a.id, 'tool_call_id', a.tool_call_id, 'status', a.status,
      'hash', coalesce(a.edited_hash, a.hash), 'message', a.message, 'decided_by', ${decider('a')},
      'edited_arguments', a.edited_arguments, 'answer', a.answer) ORDER BY a.created_at)
   FROM (SELECT * FROM approvals WHERE run_id = ${runId} ORDER BY created_at DESC LIMIT ${most}) a)`;

/** The approvals of a run for its steps, in the wire form of contracts' StepApproval. */
export const RUN_APPROVALS = `
  SELECT a.tool_call_id, jsonb_build_object('id', a.id, 'status', a.status, 'decided_by', ${decider('a')},
    'decided_at', wire_time(a.decided_at)) AS approval
  FROM (SELECT * FROM approvals WHERE run_id = $1 ORDER BY created_at DESC LIMIT 1000) a ORDER BY a.created_at`;
