import { messageCreated, sendMessage, type AcceptedMessage } from '#lib/contracts';
import { type Database, insertEvent, newId, type Transaction } from '#lib/database';
import { spanTime } from '#lib/tracing';
import type { z } from 'zod';
import { endSuspended } from '../runs/end-waiting.js';

export interface SendRequest {
  input: z.output<typeof sendMessage.input>;
  accountId: string;
  /** Trace and request id, carried on by the event. */
  headers: Record<string, string>;
}

/** How a send ended: the message, or why there is none. */
export type SendOutcome =
  | {
      kind: 'accepted';
      message: AcceptedMessage;
      interruptsTurn: boolean;
      canBeClaimed: boolean;
      /** Messages of a run that waited for approvals, and which this one interrupts. */
      interruptedIds: string[];
    }
  | { kind: 'unknown-agent' }
  | { kind: 'not-yours' }
  | { kind: 'unavailable'; status: string };

interface OutcomeRow {
  n: string;
  agent_status: string | null;
  is_mine: boolean;
  running_turn: string | null;
  /** Both are null when nothing was stored: refused, or known by its dedupe key. */
  id: string | null;
  created_at: Date | null;
}

interface StoredRow {
  id: string;
  content: string;
  metadata: AcceptedMessage['metadata'];
  status: AcceptedMessage['status'];
  channel: AcceptedMessage['channel'];
  queue_mode: AcceptedMessage['queueMode'];
  conversation_id: string;
  created_at: Date;
}

/**
 * Stores messages, in the given order, with their conversations and events. Each request has its own outcome.
 * Ordering: the agents' rows are locked first, so whoever reads an agent's messages under that lock sees all before.
 */
export async function sendMessages(database: Database, requests: SendRequest[]): Promise<SendOutcome[]> {
  const interrupts = requests.some(({ input }) => input.queueMode === 'interrupt');
  const startedAt = database.spans.isOn ? spanTime() : 0;
  const parameters = [
    JSON.stringify(requests.map(row)),
    [...new Set(requests.map(({ input }) => input.agentId))],
    interrupts,
  ];
  let interrupted = new Map<string, string[]>();
  const rows = interrupts
    ? await database.transaction(async (tx) => {
        // Which turn runs is seen only by a statement that begins under the lock.
        await tx.query(LOCK_AGENTS, [parameters[1]]);
        const stored = await tx.query<OutcomeRow>(STORE, parameters);
        interrupted = await interruptSuspended(tx, requests, stored);
        return stored;
      })
    : await database.query<OutcomeRow>(STORE, parameters);
  if (database.spans.isOn)
    database.spans.shared(
      requests.flatMap(({ headers }) => headers['traceparent'] ?? []),
      STORE,
      startedAt,
    );
  const byNumber = new Map(rows.map((outcome) => [Number(outcome.n), outcome]));
  return Promise.all(
    requests.map(async ({ input }, index) => {
      const outcome = await outcomeOf(database, input, byNumber.get(index + 1));
      if (outcome.kind === 'accepted') outcome.interruptedIds = interrupted.get(input.agentId) ?? [];
      return outcome;
    }),
  );
}

/** Ends what waits for approvals where a message interrupts it; gives the messages that are answered no more, by agent. */
async function interruptSuspended(
  tx: Transaction,
  requests: SendRequest[],
  stored: OutcomeRow[],
): Promise<Map<string, string[]>> {
  const interrupting = stored.flatMap(({ n, id }) => {
    const { input } = requests[Number(n) - 1] ?? {};
    return id !== null && input?.queueMode === 'interrupt' ? [input] : [];
  });
  const ended = new Map<string, string[]>();
  for (const agentId of [...new Set(interrupting.map((input) => input.agentId))].sort()) {
    const conversations = interrupting
      .filter((input) => input.agentId === agentId)
      .map((input) => input.conversationId);
    const turns = await endSuspended(tx, agentId, conversations, 'interrupted');
    ended.set(
      agentId,
      turns.flatMap(({ finishedIds }) => finishedIds),
    );
  }
  return ended;
}

async function outcomeOf(
  database: Database,
  input: SendRequest['input'],
  row: OutcomeRow | undefined,
): Promise<SendOutcome> {
  if (!row || row.agent_status === null) return { kind: 'unknown-agent' };
  if (!row.is_mine || row.agent_status === 'deleted') return { kind: 'not-yours' };
  if (row.id === null || row.created_at === null) {
    // One that was accepted before is answered as then, whatever has become of its agent since.
    const message = await firstOf(database, input);
    if (message) return { kind: 'accepted', message, interruptsTurn: false, canBeClaimed: false, interruptedIds: [] };
    if (row.agent_status === 'stopped' || row.agent_status === 'error')
      return { kind: 'unavailable', status: row.agent_status };
    // It went with its agent, in this moment. Not an error: the others of the batch are stored.
    return { kind: 'not-yours' };
  }
  const isRunning = row.running_turn !== null;
  return {
    kind: 'accepted',
    message: stored(input, row.id, row.created_at),
    interruptsTurn: input.queueMode === 'interrupt' && isRunning,
    canBeClaimed: row.agent_status === 'active' && !isRunning,
    interruptedIds: [],
  };
}

function row({ input, accountId, headers }: SendRequest) {
  return {
    id: `msg_${newId()}`,
    account_id: accountId,
    agent_id: input.agentId,
    conversation_id: input.conversationId,
    content: input.content,
    metadata: input.metadata,
    channel: input.channel,
    queue_mode: input.queueMode,
    dedupe_key: input.dedupeKey ?? null,
    counterparty_id: input.counterparty?.id ?? input.conversationId,
    counterparty_name: input.counterparty?.displayName ?? null,
    headers,
    version: input.version ?? null,
  };
}

// In one order everywhere: two batches that lock the same agents the other way round would wait for each other.
const LOCK_AGENTS = `SELECT 1 FROM agents WHERE agent_id = ANY($1::uuid[]) ORDER BY agent_id FOR UPDATE`;

/**
 * A message whose dedupe key is known changes nothing. Turns are looked at only when a message interrupts ($3). The agent's row is read through `agent` alone: there it is as
 * the lock found it, in the table as it was when the statement began, which may be before a turn ended.
 */
const STORE = `
  WITH agent AS MATERIALIZED (
    SELECT agent_id, account_id, status, running_turn, next_at FROM agents WHERE agent_id = ANY($2::uuid[])
    ORDER BY agent_id FOR UPDATE
  ), input AS MATERIALIZED (
    SELECT item.*, n FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS element (value, n),
      jsonb_to_record(value) AS item (id text, account_id uuid, agent_id uuid, conversation_id text, content text,
        metadata jsonb, channel text, queue_mode text, dedupe_key text, counterparty_id text, counterparty_name text,
        headers jsonb, version integer)
  ), accepted AS (
    SELECT input.* FROM input JOIN agent USING (agent_id, account_id)
    WHERE agent.status NOT IN ('deleted', 'stopped', 'error')
  ), inserted AS (
    INSERT INTO messages
      (id, account_id, agent_id, conversation_id, role, content, metadata, status, channel, queue_mode, dedupe_key,
        traceparent, version)
    SELECT id, account_id, agent_id, conversation_id, 'user', content, metadata, 'pending', channel, queue_mode, dedupe_key,
        headers->>'traceparent', version
      FROM accepted ORDER BY n
    ON CONFLICT (agent_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
    RETURNING id, seq, agent_id, account_id, conversation_id, queue_mode, created_at, wire_message(messages) AS wire
  ), touched AS (
    SELECT inserted.agent_id, inserted.account_id, inserted.conversation_id, count(*) AS added,
      bool_or(inserted.queue_mode = 'interrupt') AS interrupts,
      (array_agg(input.channel ORDER BY n DESC))[1] AS channel,
      (array_agg(counterparty_id ORDER BY n DESC))[1] AS counterparty_id,
      (array_agg(counterparty_name ORDER BY n DESC))[1] AS counterparty_name
    FROM inserted JOIN input USING (id)
    GROUP BY inserted.agent_id, inserted.account_id, inserted.conversation_id
  ), conversation AS (
    INSERT INTO conversations AS c
      (agent_id, id, account_id, channel, counterparty_id, counterparty_name, message_count, ready_at)
    SELECT agent_id, conversation_id, account_id, CASE WHEN conversation_id LIKE channel || ':%' THEN channel ELSE 'api' END,
      counterparty_id, counterparty_name, added,
      CASE WHEN interrupts THEN 'epoch' ELSE now() END FROM touched
    ON CONFLICT (agent_id, id) DO UPDATE SET
      message_count = c.message_count + excluded.message_count,
      counterparty_name = coalesce(excluded.counterparty_name, c.counterparty_name),
      ready_at = least(coalesce(c.ready_at, excluded.ready_at), CASE WHEN excluded.ready_at = 'epoch' THEN excluded.ready_at END),
      updated_at = now()
  ), cancelled AS (
    UPDATE turns SET cancelled = true, stopped = false FROM touched JOIN agent USING (agent_id)
    WHERE $3 AND turns.id = agent.running_turn AND turns.state = 'running' AND touched.interrupts
  ), ready AS (
    UPDATE agents SET next_at = now() FROM (SELECT DISTINCT agent_id FROM touched) t JOIN agent USING (agent_id)
    WHERE agents.agent_id = t.agent_id AND (agent.next_at IS NULL OR agent.next_at > now())
  ), event AS (
    ${insertEvent(messageCreated, {
      key: 'inserted.agent_id::text',
      payload: { account_id: 'inserted.account_id', agent_id: 'inserted.agent_id', message: 'wire' },
      headers: 'input.headers',
      from: 'inserted JOIN input USING (id) ORDER BY seq',
    })}
  )
  SELECT n, agent.status AS agent_status, agent.account_id = input.account_id AS is_mine, agent.running_turn,
    inserted.id, inserted.created_at
  FROM input LEFT JOIN agent USING (agent_id) LEFT JOIN inserted ON inserted.id = input.id`;

/** What was stored just now is what was asked for. */
function stored(input: SendRequest['input'], id: string, createdAt: Date): AcceptedMessage {
  const { content, metadata, channel, queueMode, conversationId } = input;
  return { id, role: 'user', content, metadata, status: 'pending', channel, queueMode, conversationId, createdAt };
}

/** The message that was accepted before with this key. */
async function firstOf(
  database: Database,
  { agentId, dedupeKey }: SendRequest['input'],
): Promise<AcceptedMessage | undefined> {
  if (dedupeKey === undefined) return undefined;
  const [first] = await database.query<StoredRow>(`SELECT * FROM messages WHERE agent_id = $1 AND dedupe_key = $2`, [
    agentId,
    dedupeKey,
  ]);
  return (
    first && {
      id: first.id,
      role: 'user',
      content: first.content,
      metadata: first.metadata,
      status: first.status,
      channel: first.channel,
      queueMode: first.queue_mode,
      conversationId: first.conversation_id,
      createdAt: first.created_at,
    }
  );
}

/** Whether a message with this key was accepted before. */
export async function isKnown(database: Database, agentId: string, dedupeKey: string): Promise<boolean> {
  const rows = await database.query(`SELECT 1 FROM messages WHERE agent_id = $1 AND dedupe_key = $2`, [
    agentId,
    dedupeKey,
  ]);
  return rows.length > 0;
}
