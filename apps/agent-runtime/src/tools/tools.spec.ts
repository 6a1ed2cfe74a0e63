import { LLMock } from '@copilotkit/aimock';
import { until } from '#lib/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';

/** Every built-in tool of runtime.md, called by a model. */
describe('the built-in tool', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let runtime: RuntimeFixture;

  beforeAll(async () => {
    await mock.start();
    runtime = await startRuntime({ OPENAI_BASE_URL: `${mock.url}/v1`, ROOST_DEFAULT_MODEL: 'openai/test' });
    runtime.workspace.start();
    runtime.services.knows('telegram:bot:7', 'telegram', 'Grace');
    runtime.services.knows('default', 'api', 'tester');
  });
  afterEach(() => {
    mock.reset();
    runtime.platform.configure({});
    runtime.workspace.onCommand = (command) => ({ stdout: `ran ${command}\n` });
  });
  afterAll(async () => {
    await runtime.stop();
    await mock.stop();
  });

  let turns = 0;

  /** What the model is shown when it makes these calls in one step. */
  async function callAll(calls: [name: string, args: object][]): Promise<{ output: string; isError: boolean }[]> {
    mock.on({ userMessage: 'go', hasToolResult: true }, { content: 'done' });
    mock.onMessage('go', { toolCalls: calls.map(([name, args]) => ({ name, arguments: JSON.stringify(args) })) });
    const { turnId, outcome } = runtime.platform.send('go', { conversationId: `tools-${turns++}` });
    await expect(outcome).resolves.toMatchObject({ end: 'completed' });
    mock.reset();
    const ofTurn = (type: string) =>
      runtime.platform.live.flatMap((event) =>
        event.turnId === turnId && event.type === type && event.tool ? [event.tool] : [],
      );
    await until('the results were sent', () => ofTurn('tool.result').length === calls.length);
    return ofTurn('tool.call').map(({ callId }) => {
      const result = ofTurn('tool.result').find((event) => event.callId === callId);
      return { output: result?.output ?? '', isError: result?.isError ?? false };
    });
  }
  const call = async (name: string, args: object) => {
    const [result] = await callAll([[name, args]]);
    return result ?? { output: '', isError: true };
  };

  it('bash gives output, standard error and the exit code', async () => {
    runtime.workspace.onCommand = () => ({ stdout: 'out\n', stderr: 'err\n', exitCode: 3 });
    const { output } = await call('bash', { command: 'true' });
    expect(output).toBe('out\n\n[stderr]\nerr\n\n[exit code 3]');
  });

  it('bash says that a command was killed at its timeout', async () => {
    runtime.workspace.onCommand = () => ({ exitCode: null, signal: 'SIGTERM', timedOut: true });
    await expect(call('bash', { command: 'sleep 9', timeout_seconds: 1 })).resolves.toEqual({
      output: '[killed after 1 s]',
      isError: false,
    });
  });

  it('write_file, read_file, edit_file and list_files work on the same files', async () => {
    expect((await call('write_file', { path: 'a.txt', content: 'one two' })).output).toContain('7 bytes');
    expect((await call('edit_file', { path: 'a.txt', old_text: 'two', new_text: 'three' })).output).toContain(
      '1 passage',
    );
    expect((await call('read_file', { path: 'a.txt' })).output).toBe('one three');
    expect((await call('read_file', { path: 'a.txt', offset: 4, length: 2 })).output).toBe(
      'th\n[bytes 4 to 6 of 9; go on with offset 6]',
    );
    expect((await call('list_files', {})).output).toContain('a.txt  9');
  });

  it('edit_file says why it changes nothing', async () => {
    await call('write_file', { path: 'twice.txt', content: 'x x' });
    await expect(call('edit_file', { path: 'twice.txt', old_text: 'x', new_text: 'y' })).resolves.toEqual({
      output: 'old_text occurs 2 times in twice.txt: take more of its surroundings, or set replace_all',
      isError: true,
    });
    expect((await call('edit_file', { path: 'twice.txt', old_text: 'z', new_text: 'y' })).output).toContain(
      'does not occur',
    );
  });

  it('search_files gives path, line and text', async () => {
    runtime.workspace.found = [{ path: '/workspace/a.txt', matches: [{ line: 2, text: 'needle' }] }];
    expect((await call('search_files', { query: 'needle' })).output).toBe('/workspace/a.txt:2: needle');
    runtime.workspace.found = [];
    expect((await call('search_files', { query: 'nothing' })).output).toBe('[nothing found]');
  });

  it.each(['flat', 'hierarchical'] as const)('memory_write and memory_read keep what matters (%s)', async (type) => {
    runtime.platform.configure({ memoryConfig: { type } });
    const topic = type === 'flat' ? {} : { topic: 'boat' };
    const summary = type === 'flat' ? {} : { summary: 'its name' };
    await call('memory_write', { ...topic, ...summary, content: 'Swallow' });
    expect((await call('memory_read', topic)).output).toContain('Swallow');
  });

  it('memory_write refuses what is beyond max_size_mb', async () => {
    runtime.platform.configure({ memoryConfig: { type: 'hierarchical', maxSizeMb: 1 } });
    runtime.workspace.files.set('memory/full.md', Buffer.alloc(1_048_576, 120));
    const { output, isError } = await call('memory_write', { topic: 'more', content: 'x', summary: 'x' });
    expect({ output, isError }).toEqual({ output: 'the memory is full (1 MB): shorten a topic first', isError: true });
    runtime.workspace.files.delete('memory/full.md');
  });

  it.each(['flat', 'hierarchical'] as const)(
    'memory_write makes a full file small again, and none fuller (%s)',
    async (type) => {
      runtime.platform.configure({ memoryConfig: { type } });
      const [path, about] = type === 'flat' ? ['MEMORY.md', {}] : ['memory/boat.md', { topic: 'boat', summary: 'x' }];
      const write = (content: string, mode?: string) =>
        call('memory_write', { ...about, content, ...(mode && { mode }) });
      for (const bytes of [512 * 1_024, 600_000]) {
        runtime.workspace.files.set(path, Buffer.alloc(bytes, 120));
        expect(await write('more', 'append')).toEqual({
          output: `${path} is full (512 KiB): write what matters of it with mode "replace"`,
          isError: true,
        });
        expect((await write('all that matters', 'replace')).isError).toBe(false);
        expect(String(runtime.workspace.files.get(path))).toBe('all that matters');
      }
      runtime.workspace.files.delete(path);
    },
  );

  it('wait waits', async () => {
    expect((await call('wait', { seconds: 1 })).output).toBe('Waited 1 s.');
  });

  it('read_messages shows what waits', async () => {
    runtime.platform.remember('user', 'a question of Ada', 'elsewhere');
    const { output } = await call('read_messages', {});
    expect(output).toContain('[elsewhere over api,');
    expect(output).toContain('a question of Ada');
  });

  it('send_message reaches a channel’s person or a conversation, once for a repeated attempt', async () => {
    runtime.services.posted.clear();
    await expect(call('send_message', { to: 'telegram', content: 'hello' })).resolves.toEqual({
      output: 'Sent to Grace over telegram.',
      isError: false,
    });
    expect([...runtime.services.posted.values()]).toMatchObject([
      { conversationId: 'telegram:bot:7', content: 'hello' },
    ]);
    const twice = await callAll([
      ['send_message', { to: 'default', content: 'same' }],
      ['send_message', { to: 'default', content: 'same' }],
    ]);
    expect(twice.map(({ output }) => output)).toEqual(['Sent to tester over api.', 'Sent to tester over api.']);
    expect(runtime.services.posted.size).toBe(2);
  });

  it('send_message begins a conversation with somebody who is only linked', async () => {
    runtime.services.posted.clear();
    runtime.services.channels = [
      {
        type: 'slack',
        id: null,
        linked: true,
        counterparty: 'linus',
        conversationId: 'slack:bot:9',
        queueMode: null,
        health: 'connected',
        createdAt: null,
      },
    ];
    await call('send_message', { to: 'slack', content: 'first words' });
    expect([...runtime.services.posted.values()]).toMatchObject([
      { conversationId: 'slack:bot:9', channel: 'slack', counterparty: { displayName: 'linus' } },
    ]);
  });

  it('send_message to nobody lists who there is', async () => {
    const { output, isError } = await call('send_message', { to: 'discord', content: 'hello' });
    expect(isError).toBe(true);
    expect(output).toContain('there is nobody to write to as discord');
    expect(output).toContain('- telegram:bot:7 (Grace over telegram)');
  });

  it('schedule_create, schedule_list and schedule_delete manage the agent’s own schedules', async () => {
    const created = await call('schedule_create', {
      name: 'tea',
      cron: '0 16 * * *',
      message: 'Make tea',
      timezone: 'Europe/London',
    });
    expect(created.output).toMatch(
      /^Created\. [0-9a-f-]{36}: “tea”, 0 16 \* \* \* \(Europe\/London\), next .*: Make tea$/,
    );
    const [id = ''] = runtime.services.schedules.keys();
    expect((await call('schedule_list', {})).output).toContain(id);
    expect((await call('schedule_delete', { id })).output).toBe('Deleted.');
    expect((await call('schedule_list', {})).output).toBe('[no schedule]');
    await expect(call('schedule_delete', { id })).resolves.toMatchObject({
      output: 'there is no such schedule',
      isError: true,
    });
    await expect(call('schedule_create', { name: 'x', cron: 'noon', message: 'x' })).resolves.toMatchObject({
      output: 'cron_expression: must have five fields',
      isError: true,
    });
  });

  it.each([
    ['bash', { command: '' }],
    ['read_file', { path: 7 }],
    ['write_file', { path: 'a' }],
    ['edit_file', { path: 'a', old_text: '', new_text: '' }],
    ['search_files', { query: 'x', type: 'both' }],
    ['wait', { seconds: 100_000 }],
    ['memory_write', { topic: '../x', content: 'x', summary: 'x' }],
    ['send_message', { to: 'telegram' }],
    ['schedule_create', { name: 'x' }],
    ['schedule_delete', { id: 'not-an-id' }],
  ])('%s refuses arguments that do not fit its schema: %j', async (name, args) => {
    const { output, isError } = await call(name, args);
    expect(isError).toBe(true);
    expect(output).toContain('Invalid input for tool');
  });

  it('bash calls of one step run one after the other, reading tools side by side', async () => {
    let running = 0;
    let most = 0;
    runtime.workspace.onCommand = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running--;
      return {};
    };
    await callAll([
      ['bash', { command: 'one' }],
      ['bash', { command: 'two' }],
    ]);
    expect(most).toBe(1);
    // Each read waits for the other: only calls that run at the same time can end.
    const arrived = new Set<string>();
    runtime.workspace.onRead = async (path) => {
      arrived.add(path);
      await until('both reads have come', () => arrived.size === 2);
    };
    await call('write_file', { path: 'left.txt', content: 'l' });
    await call('write_file', { path: 'right.txt', content: 'r' });
    arrived.clear();
    const read = await callAll([
      ['read_file', { path: 'left.txt' }],
      ['read_file', { path: 'right.txt' }],
    ]);
    runtime.workspace.onRead = undefined;
    expect(read.map(({ output }) => output)).toEqual(['l', 'r']);
  });
});
