import { MisbehavingProvider, type ScriptedAnswer, until, type WireName } from '#lib/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';
import type { TurnOutcome } from '../../test/messaging-double.js';
import { CASES, type Case } from '../../test/misbehaviours.js';
import { rememberOld } from '../../test/old-transcript.js';

const MODELS: Record<WireName, string> = {
  anthropic: 'anthropic/claude-odd',
  'openai-chat': 'openai/gpt-odd',
  'openai-responses': 'openai/gpt-5-odd',
  google: 'google/gemini-2.5-odd',
};
const SHAPES = ['plain', 'tool', 'long'] as const;
type Shape = (typeof SHAPES)[number];

interface Run {
  name: string;
  one: Case;
  shape: Shape;
  outcome: TurnOutcome;
  messageId: string;
  conversationId: string;
}

/** Every way in which a provider misbehaves, in a short chat, with a tool, and in an old long conversation: no turn is lost or doubled. */
describe.each([
  { wires: ['anthropic', 'openai-chat', 'google'] as WireName[] },
  // OpenAI's own address is read by its SDK from the process: Roost's OPENAI_BASE_URL is for compatible servers.
  { wires: ['openai-responses'] as WireName[] },
])('a provider that misbehaves, over $wires', ({ wires }) => {
  let provider: MisbehavingProvider;
  let runtime: RuntimeFixture;
  let sql: pg.Client;
  const runs = new Map<string, Run>();
  const table = wires.flatMap((wire) =>
    CASES.flatMap((one, index) =>
      SHAPES.filter((shape) => (shape !== 'plain' || !one.onlyWithTool) && (one.over?.includes(wire) ?? true)).map(
        (shape) => ({
          name: `${wire}-${shape}-${index}`,
          title: `${wire}, ${shape}: ${one.name}`,
          one,
          wire,
          shape,
        }),
      ),
    ),
  );

  beforeAll(async () => {
    provider = await MisbehavingProvider.start();
    process.env['OPENAI_BASE_URL'] = `${provider.url}/v1`;
    runtime = await startRuntime({
      ...Object.assign({}, ...wires.map((wire) => provider.env(wire))),
      ROOST_MODEL_SILENCE_SECONDS: '8',
      ROOST_MODEL_RETRY_MS: '10',
      ROOST_MAX_TURNS: '20',
    });
    runtime.platform.triesAgain = true;
    sql = new pg.Client({ connectionString: runtime.database.url });
    await sql.connect();
    const agents = new Map<string, string>();
    for (const wire of wires)
      for (const sessionMode of ['ephemeral', 'persistent'] as const)
        agents.set(
          `${wire} ${sessionMode}`,
          runtime.platform.addAgent({ sessionMode, configuration: { model: MODELS[wire] } }),
        );
    await Promise.all(
      table.map(async ({ name, one, wire, shape }) => {
        const agentId = agents.get(`${wire} ${shape === 'long' ? 'persistent' : 'ephemeral'}`) ?? '';
        const place = { accountId: runtime.platform.accountId, agentId, conversationId: name };
        if (shape === 'long') await rememberOld(sql, place);
        provider.script(name, ...one.reactions(goodAnswers(name, shape)));
        const { messageId, outcome } = runtime.platform.send(`please @${name}`, place);
        runs.set(name, { name, one, shape, outcome: await outcome, messageId, conversationId: name });
      }),
    );
  });
  afterAll(async () => {
    delete process.env['OPENAI_BASE_URL'];
    await sql.end();
    await runtime.stop();
    await provider.stop();
  });

  it.each(table)('$title', async ({ name, one, shape }) => {
    const run = runs.get(name);
    expect(provider.of(name).flatMap(({ refused }) => refused ?? [])).toEqual([]);
    const good = goodAnswers(name, shape);
    if ('fails' in one.expected) {
      expect(run?.outcome).toMatchObject({
        end: 'failed',
        retryable: one.expected.inAllTries ?? false,
        error: { code: one.expected.fails },
      });
      expect(run?.outcome.error?.message).toContain(one.expected.why ?? '');
    } else {
      expect(run?.outcome).toMatchObject({ end: 'completed' });
      const [reply = '', ...more] = run?.outcome.replies ?? [];
      expect(more).toEqual([]);
      if ('heals' in one.expected) expect(reply).toBe(good.map(({ text }) => text).join('\n\n'));
      else expect(reply).toMatch(one.expected.says);
      expect(reply).not.toMatch(/^\s/);
      await until('the live view shows the reply', () => runtime.platform.liveAnswer(run?.messageId ?? '') === reply);
    }
    // The tool's work was done once, however often the step was tried.
    const done = [...runtime.services.schedules.values()].filter((schedule) => schedule.name === name);
    expect(done).toHaveLength(shape === 'plain' ? 0 : 1);
    const { rows } = await sql.query<{ content: string }>(
      `SELECT content FROM runtime.transcript JOIN runtime.sessions ON sessions.id = session_id
       WHERE conversation_id = $1 AND turn_id IS NOT NULL ORDER BY transcript.id`,
      [name],
    );
    const transcript = rows.map(({ content }) => content);
    expect(transcript.filter((content) => content.includes(`please @${name}`))).toHaveLength(1);
    for (const { text = '' } of good)
      expect(transcript.filter((content) => content.includes(`"${text}"`)).length).toBeLessThanOrEqual(1);
  });

  it('was told each time that it could not be read', () => {
    const last = [...runs.values()].filter(({ one }) => one.name === 'can never read an answer');
    for (const { name, shape } of last) {
      const told = provider.of(name).map(({ userTexts }) => userTexts.at(-1)?.includes('could not be read'));
      expect(told).toEqual([...(shape === 'plain' ? [] : [false]), false, true, true]);
    }
  });

  it('was given no request that it must refuse, and every turn ended once', () => {
    expect(provider.refusals.map(({ script, refused }) => [script, refused])).toEqual([]);
    expect(runs.size).toBe(table.length);
    expect([...runtime.platform.reports.values()].filter((times) => times !== 1)).toEqual([]);
    expect(runtime.platform.reports.size).toBe(table.length);
  });
});

/** What the model would say if nothing went wrong. */
function goodAnswers(name: string, shape: Shape): ScriptedAnswer[] {
  const answer = { text: `This is the whole answer to ${name}.` };
  if (shape === 'plain') return [answer];
  const args = { name, cron: '0 9 * * *', message: 'Good morning' };
  return [{ text: 'I begin with it now.', calls: [{ name: 'schedule_create', args }] }, answer];
}
