import { messageCreated, sendMessage, type AcceptedMessage } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import type { z } from 'zod';

export interface SendRequest {
  input: z.output<typeof sendMessage.input>;
  accountId: string;
  /** Trace and request id, carried on by the event. */
  headers: Record<string, string>;
}

/** How a send ended: the message, or why there is none. */
export type SendOutcome =
  | { kind: 'accepted'; message: AcceptedMessage; interruptsTurn: boolean }
  | { kind: 'unknown-agent' }
  | { kind: 'not-yours' }
  | { kind: 'unavailable'; status: string };

interface AgentRow {
  agent_id: string;
  account_id: string;
  status: string;
  running_turn: string | null;
}

interface StoredRow {
  id: string;
  agent_id: string;
  dedupe_key: string | null;
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
export async function sendMessages(tx: Transaction, requests: SendRequest[]): Promise<SendOutcome[]> {
  const agents = await lockAgents(tx, requests);
  const outcomes = requests.map((request) => refusal(request, agents.get(request.input.agentId)));
  const accepted = requests.flatMap((request, index) =>
    outcomes[index] ? [] : [{ index, id: `msg_${newId()}`, request }],
  );
  if (accepted.length === 0) return outcomes as SendOutcome[];
  const stored = await store(
    tx,
    accepted.map(({ id, request }) => row(id, request)),
  );
  tx.markEvents();
  const byId = new Map(stored.map((message) => [message.id, message]));
  for (const { index, id, request } of accepted) {
    const { agentId, dedupeKey, queueMode } = request.input;
    const message = byId.get(id) ?? (await firstOf(tx, agentId, dedupeKey ?? ''));
    const interruptsTurn = queueMode === 'interrupt' && byId.has(id) && agents.get(agentId)?.running_turn !== null;
    outcomes[index] = { kind: 'accepted', message: toAccepted(message), interruptsTurn };
  }
  return outcomes as SendOutcome[];
}

async function lockAgents(tx: Transaction, requests: SendRequest[]): Promise<Map<string, AgentRow>> {
  const ids = [...new Set(requests.map(({ input }) => input.agentId))];
  // In one order everywhere: two batches that lock the same agents the other way round would wait for each other.
  const rows = await tx.query<AgentRow>(
    `SELECT agent_id, account_id, status, running_turn FROM agents WHERE agent_id = ANY($1::uuid[])
     ORDER BY agent_id FOR UPDATE`,
    [ids],
  );
  return new Map(rows.map((agent) => [agent.agent_id, agent]));
}

function refusal({ accountId }: SendRequest, agent: AgentRow | undefined): SendOutcome | undefined {
  if (!agent) return { kind: 'unknown-agent' };
  if (agent.account_id !== accountId || agent.status === 'deleted') return { kind: 'not-yours' };
  if (agent.status === 'stopped' || agent.status === 'error') return { kind: 'unavailable', status: agent.status };
  return undefined;
}

function row(id: string, { input, accountId, headers }: SendRequest) {
  return {
    id,
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
  };
}

/** Gives only rows that are new: one whose dedupe key is known changes nothing. */
async function store(tx: Transaction, rows: ReturnType<typeof row>[]): Promise<StoredRow[]> {
  return tx.query<StoredRow>(
    `WITH input AS MATERIALIZED (
       SELECT item.*, n FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS element (value, n),
         jsonb_to_record(value) AS item (id text, account_id uuid, agent_id uuid, conversation_id text, content text,
           metadata jsonb, channel text, queue_mode text, dedupe_key text, counterparty_id text, counterparty_name text,
           headers jsonb)
     ), inserted AS (
       INSERT INTO messages
         (id, account_id, agent_id, conversation_id, role, content, metadata, status, channel, queue_mode, dedupe_key)
       SELECT id, account_id, agent_id, conversation_id, 'user', content, metadata, 'pending', channel, queue_mode, dedupe_key
         FROM input ORDER BY n
       ON CONFLICT (agent_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
       RETURNING id, seq, agent_id, account_id, conversation_id, dedupe_key, content, metadata, status, channel,
         queue_mode, created_at, wire_message(messages) AS wire
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
       UPDATE turns SET cancelled = true FROM touched
       WHERE turns.agent_id = touched.agent_id AND turns.state = 'running' AND touched.interrupts
     ), agent AS (
       UPDATE agents SET next_at = now() FROM (SELECT DISTINCT agent_id FROM touched) t
       WHERE agents.agent_id = t.agent_id AND (agents.next_at IS NULL OR agents.next_at > now())
     ), event AS (
       INSERT INTO outbox (subject, key, payload, headers)
       SELECT $2, inserted.agent_id::text,
         jsonb_build_object('account_id', inserted.account_id, 'agent_id', inserted.agent_id, 'message', wire), input.headers
       FROM inserted JOIN input USING (id) ORDER BY seq
     )
     SELECT id, agent_id, dedupe_key, content, metadata, status, channel, queue_mode, conversation_id, created_at
     FROM inserted`,
    [JSON.stringify(rows), messageCreated.subject],
  );
}

async function firstOf(tx: Transaction, agentId: string, dedupeKey: string): Promise<StoredRow> {
  const [first] = await tx.query<StoredRow>(`SELECT * FROM messages WHERE agent_id = $1 AND dedupe_key = $2`, [
    agentId,
    dedupeKey,
  ]);
  if (!first) throw new Error('a message that was stored before is not to be found');
  return first;
}

function toAccepted(stored: StoredRow): AcceptedMessage {
  return {
    id: stored.id,
    role: 'user',
    content: stored.content,
    metadata: stored.metadata,
    status: stored.status,
    channel: stored.channel,
    queueMode: stored.queue_mode,
    conversationId: stored.conversation_id,
    createdAt: stored.created_at,
  };
}
