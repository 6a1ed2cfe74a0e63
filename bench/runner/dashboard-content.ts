import type pg from 'pg';

/** Text as agents write it: every kind of Markdown that a chat has to lay out. */
const MARKDOWN = [
  'A paragraph with **bold** words, `code` and a [link](https://example.org/).',
  '- one\n- two\n- three',
  '```ts\nconst answer = await agent.ask("What is it?");\nconsole.log(answer);\n```',
  '| a | b |\n| --- | --- |\n| 1 | 2 |',
  'A second paragraph that is long enough to need more than one line in the column of a conversation, as most are.',
];

/** Writes a conversation as messaging has it after it was answered: a question and an answer in turn. */
export async function fillConversation(database: pg.Client, agentId: string, messages: number): Promise<void> {
  const {
    rows: [agent],
  } = await database.query<{ account_id: string }>('SELECT account_id FROM messaging.agents WHERE agent_id = $1', [
    agentId,
  ]);
  await database.query(
    `INSERT INTO messaging.conversations (id, agent_id, account_id, channel, counterparty_id, message_count)
     VALUES ('default', $1, $2, 'api', 'default', $3) ON CONFLICT DO NOTHING`,
    [agentId, agent?.account_id, messages],
  );
  await database.query(
    `INSERT INTO messaging.messages
       (id, account_id, agent_id, conversation_id, role, content, status, channel, reply_to_id, created_at, delivered_at, read_at)
     SELECT 'msg_' || gen_random_uuid(), $2, $1, 'default', CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END,
       'message ' || n || ' ' || CASE n % 2 WHEN 1 THEN 'asks something' ELSE E'\\n\\n' || ($4::text[])[1 + n / 2 % 5] END,
       'read', 'api', NULL, at, at, at
     FROM generate_series(1, $3::int) n, LATERAL (SELECT now() - ($3 - n) * interval '1 minute' AS at) times ORDER BY n`,
    [agentId, agent?.account_id, messages, MARKDOWN],
  );
}

/** A page of a directory as Roost answers it: to make so many files takes minutes, and it is the page that is measured. */
export function fileListing(url: string, files: number) {
  const from = Number(new URL(url).searchParams.get('cursor') ?? 0);
  const count = Math.min(1_000, files - from);
  const entries = Array.from({ length: count }, (_, n) => ({
    name: `file-${String(from + n + 1).padStart(6, '0')}`,
    type: 'file',
    size: (from + n) * 37,
    modified_at: '2026-01-01T00:00:00.000Z',
  }));
  return { path: '/workspace', entries, next_cursor: from + count < files ? String(from + count) : null };
}
