import { type Fixture, LLMock } from '@copilotkit/aimock';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requestOverNats } from '#lib/rpc';
import { resetSessions } from '#lib/contracts';
import { Database } from '#lib/database';
import { until } from '#lib/testing';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';
import { Retention } from './retention.js';

describe('sessions', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let runtime: RuntimeFixture;
  let sql: pg.Client;
  /** The prompt of the latest model call, as the model got it. */
  let prompt = '';

  beforeAll(async () => {
    await mock.start();
    runtime = await startRuntime({
      OPENAI_BASE_URL: `${mock.url}/v1`,
      ROOST_DEFAULT_MODEL: 'openai/test',
      ROOST_MODEL_RETRY_MS: '10',
    });
    runtime.workspace.start();
    sql = new pg.Client({ connectionString: runtime.database.url });
    await sql.connect();
  });
  afterEach(() => {
    mock.reset();
    runtime.platform.agent = {
      ...runtime.platform.agent,
      sessionMode: 'ephemeral',
      configuration: {},
      systemPrompt: null,
      systemPromptType: 'append',
    };
  });
  afterAll(async () => {
    await sql.end();
    await runtime.stop();
    await mock.stop();
  });

  /** Answers every call with `answer` of the whole prompt. */
  function answer(make: (prompt: string) => string): void {
    mock.on({ predicate: (request) => ((prompt = JSON.stringify(request.messages)), true) }, () => ({
      content: make(prompt),
    }));
  }
  const send = (text: string, conversationId: string) => runtime.platform.send(text, { conversationId }).outcome;

  it('gives an ephemeral turn the conversation’s recent messages and nothing older', async () => {
    answer(() => 'ok');
    for (let index = 0; index < 15; index++) await send(`message ${index}.`, 'recent');
    expect(prompt).toContain('message 14.');
    expect(prompt).toContain('message 5.');
    expect(prompt).not.toContain('message 3.');
  });

  it('keeps the tools’ results of earlier turns in a persistent session only', async () => {
    mock.on(
      { userMessage: 'look', hasToolResult: false },
      { toolCalls: [{ name: 'bash', arguments: '{"command":"secret-command"}' }] },
    );
    answer(() => 'ok');
    await send('look', 'forgetful');
    await send('and now?', 'forgetful');
    expect(prompt).not.toContain('ran secret-command');
    runtime.platform.agent = { ...runtime.platform.agent, sessionMode: 'persistent' };
    await send('look', 'keeping');
    await send('and now?', 'keeping');
    expect(prompt).toContain('ran secret-command');
  });

  it('marks the text of an interrupted turn, and goes on from there', async () => {
    runtime.platform.agent = { ...runtime.platform.agent, sessionMode: 'persistent' };
    mock.onMessage(
      'tell a story',
      { content: 'Once upon a time '.repeat(50) },
      { chunkSize: 5, streamingProfile: { ttft: 5, tps: 20 } },
    );
    const { turnId, outcome } = runtime.platform.send('tell a story', { conversationId: 'story' });
    await until('it speaks', () => runtime.platform.liveText(turnId).includes('upon'));
    runtime.platform.interrupt(turnId);
    await outcome;
    answer(() => 'ok');
    await send('go on', 'story');
    expect(prompt).toContain('Once upon');
    expect(prompt).toContain('was interrupted');
    const { rows } = await sql.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM runtime.transcript WHERE turn_id = $1 AND is_interrupted',
      [turnId],
    );
    expect(rows[0]?.n).toBe(3);
  });

  it('replaces the base prompt or adds to it', async () => {
    answer(() => 'ok');
    runtime.platform.agent = { ...runtime.platform.agent, systemPrompt: 'Speak like a pirate.' };
    await send('hi', 'prompt');
    expect(prompt).toMatch(/You are Ada.*Speak like a pirate/);
    runtime.platform.agent = { ...runtime.platform.agent, systemPromptType: 'replace' };
    await send('hi', 'prompt');
    expect(prompt).not.toContain('You are Ada');
    expect(prompt).toContain('Speak like a pirate.');
  });

  it('fills the templates of hooks', async () => {
    answer(() => 'ok');
    runtime.platform.configure({
      hookMessages: {
        channelMessageReceived: '<{{channel}} from="{{sender}}" n={{count}}>{{content}}</>',
        sessionStart: 'A new day.',
        sessionEnd: 'Tidy up.',
      },
    });
    await runtime.platform.send(['one', 'two'], { conversationId: 'hooks' }).outcome;
    expect(prompt).toContain('<api from=\\"tester\\" n=2>one\\n\\ntwo</>');
    expect(prompt).toContain('A new day.');
    expect(prompt).toContain('Tidy up.');
  });

  it('informs a running agent of new messages at its next step', async () => {
    mock.on(
      { userMessage: 'work', hasToolResult: false },
      { toolCalls: [{ name: 'bash', arguments: '{"command":"slow"}' }] },
    );
    answer(() => 'ok');
    runtime.workspace.onCommand = () => new Promise((resolve) => setTimeout(() => resolve({ stdout: 'done' }), 1_200));
    runtime.platform.waitingMessages = 2;
    await send('work', 'unread');
    runtime.platform.waitingMessages = 0;
    runtime.workspace.onCommand = (command) => ({ stdout: `ran ${command}` });
    expect(prompt).toContain('2 new messages wait');
  });

  it('always shows the index of the memory, wakes nobody for it, and wipes it when it is ephemeral', async () => {
    mock.on(
      { userMessage: 'remember', hasToolResult: false },
      {
        toolCalls: [
          {
            name: 'memory_write',
            arguments: '{"topic":"boat","content":"It is called Swallow","summary":"the name of the boat"}',
          },
        ],
      },
    );
    answer(() => 'ok');
    await send('remember', 'memory');
    expect(runtime.workspace.files.get('memory/boat.md')?.toString()).toBe('It is called Swallow');
    await send('hi', 'other');
    expect(prompt).toContain('- boat: the name of the boat');
    const ensured = runtime.platform.ensured;
    runtime.workspace.stop();
    await send('hi again', 'other');
    expect(prompt).toContain('- boat: the name of the boat');
    expect(runtime.platform.ensured).toBe(ensured);
    runtime.workspace.start();
    runtime.platform.configure({ memoryConfig: { persistence: 'ephemeral' } });
    await send('remember', 'memory');
    expect([...runtime.workspace.files.keys()].filter((name) => name.startsWith('memory'))).toEqual([]);
  });

  const resetOf = (conversationId: string) =>
    requestOverNats(
      runtime.connection,
      resetSessions,
      { agentId: runtime.platform.agentId, conversationId },
      { accountId: runtime.platform.accountId, requestId: 'req_test', deadline: Date.now() + 60_000 },
    );

  it('starts afresh after a reset, for a persistent and for an ephemeral session', async () => {
    answer(() => 'ok');
    for (const sessionMode of ['persistent', 'ephemeral'] as const) {
      runtime.platform.agent = { ...runtime.platform.agent, sessionMode };
      await send('the old secret', `reset-${sessionMode}`);
      await expect(resetOf(`reset-${sessionMode}`)).resolves.toEqual({ sessionsEnded: 1 });
      await send('hello again', `reset-${sessionMode}`);
      expect(prompt).not.toContain('the old secret');
      expect(prompt).toContain('hello again');
    }
  });

  it('carries out session_end with the old context when a persistent session was reset, once and unseen', async () => {
    runtime.platform.agent = { ...runtime.platform.agent, sessionMode: 'persistent' };
    runtime.platform.configure({ hookMessages: { sessionEnd: 'Save your notes.' } });
    let closing = '';
    const isClosing = (text: string) =>
      text.includes('This session ends now; nobody reads your answer. Save your notes.');
    mock.on(
      {
        hasToolResult: false,
        predicate: ({ messages }) => {
          const text = JSON.stringify(messages);
          if (!isClosing(text)) return false;
          closing += text;
          return true;
        },
      },
      { toolCalls: [{ name: 'write_file', arguments: '{"path":"saved.txt","content":"kept"}' }] },
    );
    answer((text) => (isClosing(text) ? 'I have saved them.' : 'ok'));
    await send('our plan is blue', 'closing');
    await resetOf('closing');
    const { turnId, outcome } = runtime.platform.send('a new topic', { conversationId: 'closing' });
    await expect(outcome).resolves.toMatchObject({ replies: ['ok'] });
    expect(closing).toContain('our plan is blue');
    expect(runtime.workspace.files.get('saved.txt')?.toString()).toBe('kept');
    expect(prompt).not.toContain('our plan is blue');
    expect(runtime.platform.live.filter((event) => event.turnId === turnId && event.type !== 'text.delta')).toEqual([]);
    // Its steps are debited as all others: two of the hook, one of the turn.
    expect([...runtime.platform.debits.keys()].filter((stepId) => stepId.startsWith(turnId))).toHaveLength(3);
    closing = '';
    await send('and on', 'closing');
    expect(closing).toBe('');
  });

  it('wipes an ephemeral memory when a persistent session ends, and not before', async () => {
    runtime.platform.agent = { ...runtime.platform.agent, sessionMode: 'persistent' };
    runtime.platform.configure({ memoryConfig: { persistence: 'ephemeral' } });
    answer(() => 'ok');
    runtime.workspace.files.set('memory/index.md', Buffer.from('- sail: the red one\n'));
    await send('hi', 'wiping');
    await send('hi', 'wiping');
    expect(prompt).toContain('the red one');
    await resetOf('wiping');
    await send('hi', 'wiping');
    expect(prompt).not.toContain('the red one');
    expect(runtime.workspace.files.has('memory/index.md')).toBe(false);
  });

  it('wipes an ephemeral memory also after a turn that was interrupted', async () => {
    runtime.platform.configure({ memoryConfig: { persistence: 'ephemeral' } });
    mock.on(
      { userMessage: 'remember and wait', hasToolResult: false },
      {
        toolCalls: [
          { name: 'memory_write', arguments: '{"topic":"cat","content":"Tom","summary":"the cat"}' },
          { name: 'bash', arguments: '{"command":"hang"}' },
        ],
      },
    );
    answer(() => 'ok');
    runtime.workspace.onCommand = async (_, cancelled) => (await cancelled, { cancelled: true });
    const { turnId, outcome } = runtime.platform.send('remember and wait', { conversationId: 'cut-memory' });
    await until('it runs', () => runtime.workspace.commands.includes('hang'));
    runtime.platform.interrupt(turnId);
    await outcome;
    runtime.workspace.onCommand = (command) => ({ stdout: `ran ${command}` });
    await send('hi', 'cut-memory');
    expect([...runtime.workspace.files.keys()].filter((name) => name.startsWith('memory'))).toEqual([]);
  });

  it('forgets old transcripts and runs, but never what an open persistent session has in its context', async () => {
    answer(() => 'ok');
    await send('old and ephemeral', 'aged-ephemeral');
    runtime.platform.agent = { ...runtime.platform.agent, sessionMode: 'persistent' };
    await send('old and open', 'aged-open');
    await send('old and ended', 'aged-ended');
    await resetOf('aged-ended');
    await sql.query(
      `UPDATE runtime.transcript SET created_at = now() - interval '100 days' WHERE content LIKE '%old and %'`,
    );
    await sql.query(`UPDATE runtime.attempts SET created_at = now() - interval '500 days'`);
    const database = await Database.open({ url: runtime.database.url, poolSize: 4, schema: 'runtime', migrations: [] });
    await new Retention(database, { transcript: 90, usage: 400, runs: 90 }).sweep();
    await database.close();
    const { rows } = await sql.query<{ content: string }>(
      `SELECT content FROM runtime.transcript WHERE content LIKE '%old and %'`,
    );
    expect(rows.map(({ content }) => content).join()).toContain('old and open');
    expect(rows).toHaveLength(1);
    expect((await sql.query('SELECT 1 FROM runtime.attempts')).rows).toEqual([]);
    await send('still here', 'aged-open');
    expect(prompt).toContain('old and open');
  });

  const isSummary = (text: string) => text.includes('Summarise the conversation');
  /** Two turns, after which a persistent conversation is over its threshold. */
  async function untilTooLong(conversationId: string): Promise<void> {
    runtime.platform.agent = {
      ...runtime.platform.agent,
      sessionMode: 'persistent',
      configuration: { compaction: { thresholdTrigger: 50_000 } },
    };
    answer((text) => {
      const code = /the harbour code is (\d+)/.exec(text)?.[1];
      if (isSummary(text)) return code ? `They said: the harbour code is ${code}.` : 'Nothing of note.';
      if (!text.includes('What is the code?')) return 'Noted.';
      return code ? `It is ${code}.` : 'I do not know.';
    });
    await send('Remember: the harbour code is 4711.', conversationId);
    await send('Some talk about boats. '.repeat(10_000), conversationId);
  }
  /** Has the next calls for a summary end otherwise. */
  function failSummaries(times: number, fixture: Omit<Fixture, 'match'>): void {
    let left = times;
    const predicate: Fixture['match']['predicate'] = ({ messages }) =>
      isSummary(JSON.stringify(messages)) && left-- > 0;
    mock.prependFixture({ match: { predicate }, ...fixture });
  }
  const droppedIn = async (conversationId: string) => {
    const { rows } = await sql.query(
      `SELECT 1 FROM runtime.transcript JOIN runtime.sessions ON sessions.id = session_id
       WHERE conversation_id = $1 AND content LIKE '%were dropped%'`,
      [conversationId],
    );
    return rows.length;
  };

  it('asks once more for a summary that breaks off, since nobody was shown its text', async () => {
    await untilTooLong('broken-summary');
    failSummaries(1, {
      response: { content: 'They said very many things' },
      chunkSize: 4,
      truncateAfterChunks: 5,
      streamingProfile: { ttft: 5, tps: 50 },
    });
    await expect(send('What is the code?', 'broken-summary')).resolves.toMatchObject({ replies: ['It is 4711.'] });
    expect(await droppedIn('broken-summary')).toBe(0);
  });

  it.each([
    ['overloaded', 2, { error: { message: 'overloaded' }, status: 529 }],
    ['left-alone', 1, { error: { message: 'slow down' }, status: 429, retryAfter: 60 }],
  ] as const)('drops nothing of a session while the model that summarises is %s', async (name, times, response) => {
    await untilTooLong(name);
    failSummaries(times, { response });
    runtime.platform.triesAgain = true;
    const { replies } = await send('What is the code?', name);
    runtime.platform.triesAgain = false;
    expect(replies).toEqual(['It is 4711.']);
    expect(await droppedIn(name)).toBe(0);
  });

  it.each([
    ['its key is refused', 1, { error: { message: 'invalid key' }, status: 401 }],
    // Two calls in each of four tries.
    ['it stays away', 8, { error: { message: 'overloaded' }, status: 529 }],
  ] as const)(
    'goes on without the oldest part where the model that summarises cannot: %s; later it has all again',
    async (name, times, response) => {
      await untilTooLong(name);
      failSummaries(times, { response });
      runtime.platform.triesAgain = true;
      const replies = [await send('What is the code?', name), await send('What is the code?', name)];
      runtime.platform.triesAgain = false;
      expect(replies.map((outcome) => outcome.replies)).toEqual([['I do not know.'], ['It is 4711.']]);
      expect(await droppedIn(name)).toBe(0);
    },
  );

  it('keeps a conversation of 300 turns under its threshold and still knows what the second one was about', async () => {
    const threshold = 50_000;
    const CHARS_PER_TOKEN = 4;
    runtime.platform.agent = {
      ...runtime.platform.agent,
      sessionMode: 'persistent',
      configuration: { compaction: { thresholdTrigger: threshold } },
    };
    const secret = /the harbour code is (\d+)/;
    let largest = 0;
    let summaries = 0;
    answer((text) => {
      largest = Math.max(largest, text.length);
      const code = secret.exec(text)?.[1];
      if (isSummary(text)) {
        summaries++;
        return code ? `They said: the harbour code is ${code}.` : 'Nothing of note.';
      }
      if (text.includes('What is the code?')) return code ? `It is ${code}.` : 'I do not know.';
      return 'Noted. '.repeat(100);
    });
    for (let turn = 1; turn <= 300; turn++) {
      await send(
        turn === 2 ? 'Remember: the harbour code is 4711.' : `Turn ${turn}. ${'Some talk about boats. '.repeat(40)}`,
        'long',
      );
      mock.clearRequests();
    }
    const { replies } = await send('What is the code?', 'long');
    console.log(
      `300 turns: largest prompt about ${Math.round(largest / CHARS_PER_TOKEN)} tokens, ${summaries} summaries`,
    );
    expect(replies).toEqual(['It is 4711.']);
    expect(summaries).toBeGreaterThan(0);
    expect(largest / CHARS_PER_TOKEN).toBeLessThan(threshold);
    const { rows } = await sql.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM runtime.transcript WHERE content LIKE '%harbour code is 4711%' AND kind = 'message'`,
    );
    expect(rows[0]?.n).toBeGreaterThan(0);
  });
});
