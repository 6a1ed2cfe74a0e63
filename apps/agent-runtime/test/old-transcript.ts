import { randomUUID } from 'node:crypto';
import type { ModelMessage } from 'ai';
import type pg from 'pg';

/**
 * A conversation as earlier versions recorded it, from several providers: ids that come again and that others refuse,
 * odd names, blank texts, results out of order, a call without its result, an image.
 */
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64');

export const OLD_MESSAGES: ModelMessage[] = [
  { role: 'assistant', content: 'How can I help?' },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'the first wish' },
      { type: 'text', text: ' \n' },
    ],
  },
  {
    role: 'assistant',
    content: [
      { type: 'text', text: '\n\n' },
      { type: 'tool-call', toolCallId: 'call_0', toolName: 'bash', input: { command: 'first' } },
    ],
  },
  { role: 'tool', content: [result('call_0', 'bash', { type: 'text', value: '' })] },
  { role: 'assistant', content: [{ type: 'text', text: 'The first is done.' }] },
  { role: 'user', content: 'the second wish' },
  {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: '  ' },
      { type: 'tool-call', toolCallId: 'call_0', toolName: 'functions.read', input: { path: 'a' } },
      { type: 'tool-call', toolCallId: 'functions.read:0', toolName: '7 söker!', input: 'half of {' },
      { type: 'tool-call', toolCallId: 'x'.repeat(90), toolName: 'shot', input: [1] },
    ],
  },
  {
    role: 'tool',
    content: [
      result('x'.repeat(90), 'shot', {
        type: 'content',
        value: [
          { type: 'text', text: ' ' },
          { type: 'image-data', data: PNG, mediaType: 'image/png' },
        ],
      }),
      result('functions.read:0', '7 söker!', { type: 'error-text', value: ' ' }),
      result('call_0', 'functions.read', { type: 'json', value: { found: 1 } }),
    ],
  },
  { role: 'assistant', content: '   ' },
  { role: 'user', content: [{ type: 'text', text: '  ' }] },
  { role: 'assistant', content: [{ type: 'text', text: 'The second is done.' }] },
  { role: 'assistant', content: 'And one word more.' },
  { role: 'user', content: 'the third wish' },
  {
    role: 'assistant',
    content: [{ type: 'tool-call', toolCallId: 'toolu_1', toolName: 'bash', input: { command: 'never answered' } }],
  },
  { role: 'user', content: '[This turn was interrupted.]' },
  { role: 'tool', content: [result('nobody', 'bash', { type: 'text', value: 'an answer to no call' })] },
  { role: 'assistant', content: [{ type: 'reasoning', text: 'only a thought' }] },
];

function result(toolCallId: string, toolName: string, output: Output) {
  return { type: 'tool-result' as const, toolCallId, toolName, output };
}

type Output =
  | { type: 'text' | 'error-text'; value: string }
  | { type: 'json'; value: { found: number } }
  | {
      type: 'content';
      value: ({ type: 'text'; text: string } | { type: 'image-data'; data: string; mediaType: string })[];
    };

/** Gives a conversation that transcript, as an open persistent session. */
export async function rememberOld(
  sql: pg.Client,
  { accountId, agentId, conversationId }: { accountId: string; agentId: string; conversationId: string },
): Promise<void> {
  const sessionId = randomUUID();
  await sql.query(`INSERT INTO runtime.sessions (id, account_id, agent_id, conversation_id) VALUES ($1, $2, $3, $4)`, [
    sessionId,
    accountId,
    agentId,
    conversationId,
  ]);
  await sql.query(
    `INSERT INTO runtime.transcript (account_id, agent_id, session_id, kind, content)
     SELECT $1, $2, $3, 'message', message.content FROM unnest($4::text[]) WITH ORDINALITY AS message (content, position) ORDER BY position`,
    [accountId, agentId, sessionId, OLD_MESSAGES.map((message) => JSON.stringify(message))],
  );
}
