import { type FollowedEvent, MisbehavingProvider, readEvents, startRoost, type TestRoost, until } from '#lib/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Run {
  id: string;
  status: string;
  attempt_count: number;
  message_ids: string[];
}

const SLOWLY = { kind: 'drip', pauseMs: 300 } as const;
const ANSWER = 'This answer comes in a good number of pieces.';

describe('following a run', () => {
  let provider: MisbehavingProvider;
  let roost: TestRoost;

  beforeAll(async () => {
    provider = await MisbehavingProvider.start();
    provider.models = ['gpt-own'];
    roost = await startRoost({
      env: {
        ...provider.env('openai-chat'),
        ROOST_DEFAULT_MODEL: 'openai/gpt-own',
        ROOST_MODEL_RETRY_MS: '1',
        ROOST_RETRY_BASE_MS: '1',
      },
    });
  });
  afterAll(async () => {
    await roost?.stop();
    await provider?.stop();
  });

  const newAgent = async () => (await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a' })).body.id;
  const say = async (agentId: string, content: string, conversation_id = 'default') =>
    (await roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content, conversation_id })).body.id;
  const answered = (agentId: string, id: string) =>
    roost.api('GET', `/v1/agent/${agentId}/messages/${id}?wait=60`).then(({ body }) => body);
  const runOf = (agentId: string, messageId: string) =>
    until('the run began', async () => {
      const { body } = await roost.api<{ runs: Run[] }>('GET', `/v1/agent/${agentId}/runs`);
      return body.runs.find(({ message_ids }) => message_ids.includes(messageId))?.id;
    });
  const eventsOf = (agentId: string, runId: string, lastEventId?: string) =>
    readEvents(`${roost.url}/v1/agent/${agentId}/runs/${runId}/events`, {
      authorization: `Bearer ${roost.apiKey}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    });
  const textOf = (events: FollowedEvent[]) =>
    events.flatMap(({ type, data }) => (type === 'text.delta' ? [String(data.text)] : [])).join('');
  const durable = (events: FollowedEvent[]) =>
    events.map(({ type }) => type).filter((type) => !['text.delta', 'tool.call', 'tool.result'].includes(type));

  it('gives a late reader the whole of it, nothing of others, and ends with it', async () => {
    const agentId = await newAgent();
    provider.script('quick', { answer: { text: 'Done.' } });
    await answered(agentId, await say(agentId, '@quick'));
    provider.script('slow', { answer: { text: ANSWER }, misbehaviour: SLOWLY });
    const message = await say(agentId, '@slow');
    const run = await runOf(agentId, message);
    await until('the model was asked', () => provider.of('slow').length === 1);
    const next = await say(agentId, '@quick', 'another');
    const events = await eventsOf(agentId, run);
    expect(durable(events)).toEqual(['message.delivered', 'turn.started', 'message.completed', 'run.ended']);
    expect(textOf(events)).toBe(ANSWER);
    expect(events.at(-1)).toMatchObject({
      id: undefined,
      data: { id: run, agent_id: agentId, status: 'completed', attempt_count: 1, message_ids: [message] },
    });
    await answered(agentId, next);

    // What is kept is sent again after its end; pieces of text are not kept.
    expect(durable(await eventsOf(agentId, run))).toEqual(durable(events));
    const started = events.find(({ type }) => type === 'turn.started');
    expect(durable(await eventsOf(agentId, run, started?.id))).toEqual(['message.completed', 'run.ended']);
  });

  it('goes on in the middle of the text without gap or double', async () => {
    const agentId = await newAgent();
    provider.script('resumed', { answer: { text: ANSWER }, misbehaviour: SLOWLY });
    const run = await runOf(agentId, await say(agentId, '@resumed'));
    const whole = eventsOf(agentId, run);
    const abort = new AbortController();
    const first = await fetch(`${roost.url}/v1/agent/${agentId}/runs/${run}/events`, {
      headers: { authorization: `Bearer ${roost.apiKey}` },
      signal: abort.signal,
    });
    let seen = '';
    const decoder = new TextDecoder();
    for await (const chunk of first.body ?? []) {
      seen += decoder.decode(chunk as Uint8Array, { stream: true });
      if (seen.split('event: text.delta').length > 2) break;
    }
    abort.abort();
    const blocks = seen.split('\n\n').slice(0, -1);
    const before = blocks.flatMap((block) => /"text":"([^"]*)"/.exec(block)?.[1] ?? []).join('');
    const last = blocks.flatMap((block) => /^id: (\S+)$/m.exec(block)?.[1] ?? []).at(-1);
    const rest = await eventsOf(agentId, run, last);
    expect(before + textOf(rest)).toBe(ANSWER);
    expect(textOf(await whole)).toBe(ANSWER);
    expect(durable(rest)).toEqual(['message.completed', 'run.ended']);
  });

  it('goes on over its attempts', async () => {
    const agentId = await newAgent();
    const broken = { misbehaviour: { kind: 'status', status: 500 } } as const;
    provider.script('twice', broken, broken, { answer: { text: 'At last.' }, misbehaviour: SLOWLY });
    const run = await runOf(agentId, await say(agentId, '@twice'));
    const events = await eventsOf(agentId, run);
    const begun = events.filter(({ type }) => type === 'turn.started').map(({ data }) => data['attempt']);
    expect(begun).toEqual([1, 2]);
    expect(events.at(-1)).toMatchObject({ type: 'run.ended', data: { status: 'completed', attempt_count: 2 } });
  });

  it('ends also when the run fails, or is cancelled', async () => {
    const agentId = await newAgent();
    provider.script('refused', { misbehaviour: { kind: 'status', status: 400 } });
    const failed = await say(agentId, '@refused');
    const ofFailed = await eventsOf(agentId, await runOf(agentId, failed));
    expect(durable(ofFailed).slice(-2)).toEqual(['message.failed', 'run.ended']);
    provider.script('endless', { answer: { text: ANSWER.repeat(20) }, misbehaviour: SLOWLY });
    const run = await runOf(agentId, await say(agentId, '@endless'));
    const events = eventsOf(agentId, run);
    await roost.api('POST', `/v1/agent/${agentId}/runs/${run}/cancel`);
    expect(durable(await events).slice(-2)).toEqual(['turn.interrupted', 'run.ended']);
    expect((await events).at(-1)?.data).toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' } });
  });

  it('says so where the begin is not kept any more', async () => {
    const agentId = await newAgent();
    provider.script('old', { answer: { text: 'Long ago.' } });
    const message = await say(agentId, '@old');
    await answered(agentId, message);
    const run = await runOf(agentId, message);
    const database = new pg.Client({ connectionString: roost.databaseUrl });
    await database.connect();
    await database.query(`DELETE FROM messaging.outbox WHERE key = $1 AND subject LIKE '%turn.started'`, [agentId]);
    await database.end();
    expect(durable(await eventsOf(agentId, run))).toEqual(['stream.gap', 'message.completed', 'run.ended']);
  });

  it('is refused for a run that is not the agent’s', async () => {
    const agentId = await newAgent();
    await expect(eventsOf(agentId, agentId)).rejects.toThrow('404');
    await expect(eventsOf(agentId, 'nonsense')).rejects.toThrow('404');
  });
});
