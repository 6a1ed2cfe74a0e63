import { MisbehavingProvider, type Reaction, type SeenRequest, type WireName } from '#lib/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';

const MODELS: Record<WireName, string> = {
  anthropic: 'anthropic/claude-odd',
  'openai-chat': 'openai/gpt-odd',
  'openai-responses': 'openai/gpt-5-odd',
  google: 'google/gemini-2.5-odd',
};

const UNSUPPORTED = "Unsupported parameter: 'max_tokens' is not supported with this model.";
const COUNTED = "'max_tokens' is too large: 4000. This model's maximum context length is 8192 tokens.";

const textOf = ({ body }: Pick<SeenRequest, 'body'>) => JSON.stringify(body);
const isSummary = (request: Pick<SeenRequest, 'body'>) => textOf(request).includes('Summarise the conversation');
const isLimited = (request: Pick<SeenRequest, 'body'>) => /"max\w*tokens":4000/i.test(textOf(request));

describe.each(Object.keys(MODELS) as WireName[])('the history of a persistent session over %s', (wire) => {
  let provider: MisbehavingProvider;
  let runtime: RuntimeFixture;
  let sql: pg.Client;
  /** What becomes of a call for a summary, in place of one; `undefined`: a good one. */
  let spoilt: (limited: boolean) => Reaction | undefined = () => undefined;
  let conversations = 0;
  let conversationId = '';

  beforeAll(async () => {
    provider = await MisbehavingProvider.start((request) => {
      const code = /harbour code is (\d+)/.exec(textOf(request))?.[1];
      if (isSummary(request))
        return (
          spoilt(isLimited(request)) ?? {
            answer: { text: code ? `They said: the harbour code is ${code}.` : 'Nothing of note.' },
          }
        );
      if (request.userTexts.at(-1)?.includes('forbidden') && request.toolResults.length === 0)
        return { answer: { calls: [{ name: 'bash', args: { command: 'echo in the boat' } }] } };
      if (request.userTexts.at(-1)?.includes('forbidden')) return { answer: { text: 'How to', end: 'filter' } };
      return { answer: { text: code ? `It is ${code}.` : 'I do not know.' } };
    });
    process.env['OPENAI_BASE_URL'] = `${provider.url}/v1`;
    runtime = await startRuntime({ ...provider.env(wire), ROOST_MODEL_RETRY_MS: '10' });
    sql = new pg.Client({ connectionString: runtime.database.url });
    await sql.connect();
    runtime.platform.agent = {
      ...runtime.platform.agent,
      sessionMode: 'persistent',
      configuration: { model: MODELS[wire], compaction: { thresholdTrigger: 50_000 } },
    };
  });
  beforeEach(() => {
    spoilt = () => undefined;
    provider.seen.length = 0;
    conversationId = `${wire}-${conversations++}`;
  });
  afterAll(async () => {
    delete process.env['OPENAI_BASE_URL'];
    await sql.end();
    await runtime.stop();
    await provider.stop();
  });

  const say = async (text: string) => (await runtime.platform.send(text, { conversationId }).outcome).replies;
  const stored = async (words: string) => {
    const { rows } = await sql.query(
      `SELECT 1 FROM runtime.transcript JOIN runtime.sessions ON sessions.id = session_id
       WHERE conversation_id = $1 AND content LIKE '%' || $2 || '%'`,
      [conversationId, words],
    );
    return rows.length;
  };
  async function untilTooLong(): Promise<void> {
    await say('Remember: the harbour code is 4711.');
    await say('Some talk about boats. '.repeat(10_000));
  }

  it.each<[string, Reaction]>([
    ['is spent on thoughts', { answer: { reasoning: 'Hm.', end: 'length' } }],
    ['is spent before there is anything', { answer: { end: 'length' } }],
    ['cuts the summary', { answer: { text: 'They said', end: 'length' } }],
    ['is refused', { misbehaviour: { kind: 'status', status: 400, message: UNSUPPORTED } }],
    ['counts as a part of the context', { misbehaviour: { kind: 'status', status: 400, message: COUNTED } }],
  ])('is summarised without a limit of the output where that %s', async (_, reaction) => {
    await untilTooLong();
    spoilt = (limited) => (limited ? reaction : undefined);
    expect(await say('What is the code?')).toEqual(['It is 4711.']);
    expect(await stored('were dropped')).toBe(0);
    const summaries = provider.seen.filter(isSummary);
    expect(summaries.map(isLimited)).toEqual(summaries.map((_request, index) => index === 0));
    if (wire === 'openai-responses') expect(summaries.every(({ body }) => body['store'] === false)).toBe(true);
  });

  it.each<[string, Reaction]>([
    ['of thoughts alone', { answer: { reasoning: 'Hm.', end: 'length' } }],
    ['of nothing', { answer: {} }],
    ['that is cut', { answer: { text: 'They said', end: 'length' } }],
    ['that a filter stops', { answer: { text: 'They said', end: 'filter' } }],
  ])('is whole again after a summary %s', async (_, reaction) => {
    await untilTooLong();
    spoilt = () => reaction;
    expect(await say('What is the code?')).toEqual(['I do not know.']);
    spoilt = () => undefined;
    expect(await say('What is the code?')).toEqual(['It is 4711.']);
    expect(await stored('were dropped')).toBe(0);
  });

  it('goes on without an exchange that a content filter stopped, which stays readable', async () => {
    await say('Remember: the harbour code is 4711.');
    const [refused] = await say('Something forbidden.');
    expect(refused).toMatch(/^How to\n\n\[the provider’s content filter stopped this answer\..*begin a new session\]$/);
    expect(await say('What is the code?')).toEqual(['It is 4711.']);
    const last = textOf(provider.seen.at(-1) ?? { body: {} });
    expect(last).not.toContain('forbidden');
    expect(last).not.toContain('How to');
    expect(last).toContain('An exchange is left out here');
    expect(last).toContain('not to run again: bash.');
    expect(await stored('Something forbidden')).toBe(1);
  });
});
