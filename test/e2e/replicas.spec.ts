import { followEvents, type FollowedEvent, spawnRoost, type SpawnedRoost, temporaryFolder, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answeredIn, markOf, startStandInModel, type StandInModel } from '../doubles/stand-in-model.js';
import { processesOf } from '../ledger/roost/child-processes.js';

/** ROOST_FULL=1 measures 100 interrupts and a drain with its default patience, and holds both against their limits. */
const isFull = process.env.ROOST_FULL === '1';
const interrupts = isFull ? 100 : 3;
const interruptLimitMs = 1_000;
const drainLimitMs = 25_000;

/** From these marks on: how the model takes its time. */
const SLOW = 1_000;
const PASSING = 2_000;
const ENDLESS = 3_000;

interface Message {
  id: string;
  role: string;
  content: string;
  status: string;
}

describe('several processes of messaging and of agent-runtime', () => {
  let model: StandInModel;
  let roost: SpawnedRoost;

  beforeAll(async () => {
    model = await startStandInModel({
      firstMs: 10,
      answerMs([mark = 0], times) {
        if (mark >= ENDLESS) return times === 1 ? 120_000 : 20;
        if (mark >= PASSING) return 1_500;
        return mark >= SLOW ? 30_000 : 20;
      },
    });
    roost = await spawnRoost({
      dataDir: temporaryFolder(),
      args: ['--replicas', 'agent-runtime=2', '--replicas', 'messaging=2'],
      env: {
        OPENAI_BASE_URL: model.url,
        ROOST_DEFAULT_MODEL: 'openai/stand-in',
        ROOST_RATE_LIMIT_PER_MINUTE: '1000000',
        ...(isFull ? {} : { ROOST_SHUTDOWN_GRACE_SECONDS: '6' }),
      },
    });
  });
  afterAll(async () => {
    await roost?.stop();
    model?.close();
  });

  const newAgent = async () => (await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a' })).body.id;
  const send = (agentId: string, body: object) => roost.api<Message>('POST', `/v1/agent/${agentId}/messages`, body);
  const list = async (agentId: string) =>
    (await roost.api<{ messages: Message[] }>('GET', `/v1/agent/${agentId}/messages?limit=100`)).body.messages;
  const follow = async (agentId: string) => {
    const seen: (FollowedEvent & { at: number })[] = [];
    let isOpen = false;
    const stream = followEvents(
      `${roost.url}/v1/agent/${agentId}/events`,
      { authorization: `Bearer ${roost.apiKey}` },
      (event) => seen.push({ ...event, at: performance.now() }),
      { onOpen: () => (isOpen = true) },
    );
    await until('the stream is open', () => isOpen);
    return {
      seen,
      last: (type: string) => seen.findLast((event) => event.type === type),
      count: (type: string) => seen.filter((event) => event.type === type).length,
      stop: () => stream.stop(),
    };
  };

  it('answer each message once and in order, and notify whoever waits, wherever it waits', async () => {
    const agents = await Promise.all(Array.from({ length: 3 }, newAgent));
    await Promise.all(
      agents.map(async (agentId, index) => {
        const marks = Array.from({ length: 8 }, (_, n) => index * 100 + n);
        let id = '';
        for (const mark of marks) id = (await send(agentId, { content: markOf(mark) })).body.id;
        const waited = await roost.api<{ replies: Message[] }>('GET', `/v1/agent/${agentId}/messages/${id}?wait=30`);
        expect(waited.body.replies).toHaveLength(1);
        const replies = (await list(agentId)).filter(({ role }) => role === 'assistant');
        expect(replies.flatMap(({ content }) => answeredIn(content))).toEqual(marks);
      }),
    );
  });

  it('stop an interrupted turn wherever it runs, keep the text so far, and answer its batch never again', async () => {
    const agentId = await newAgent();
    const { seen, last, count, stop } = await follow(agentId);
    const tookMs: number[] = [];
    await send(agentId, { content: markOf(SLOW) });
    for (let n = 1; n <= interrupts; n += 1) {
      await until(`turn ${n} writes`, () => count('turn.started') === n && seen.at(-1)?.type === 'text.delta', {
        everyMs: 5,
      });
      const sent = await send(agentId, { content: markOf(SLOW + n), queue_mode: 'interrupt' });
      expect(sent.status).toBe(201);
      const acceptedAt = performance.now();
      await until('the turn is stopped', () => count('turn.interrupted') === n, { everyMs: 1 });
      tookMs.push((last('turn.interrupted')?.at ?? 0) - acceptedAt);
      expect(String(last('turn.interrupted')?.data.partial_reply)).toMatch(/^I have/);
    }
    // Stopped before it asks, the last turn's batch would go back to the queue unasked.
    await until('the last turn writes', () => count('turn.started') > interrupts && seen.at(-1)?.type === 'text.delta');
    await stop();
    // Or the drain would wait for the last turn's long answer.
    await roost.api('POST', `/v1/agent/${agentId}/stop`);
    expect((await list(agentId)).every(({ role }) => role === 'user')).toBe(true);
    // Asked once each: an interrupted batch goes to no model again.
    const marks = Array.from({ length: interrupts + 1 }, (_, n) => SLOW + n);
    expect(marks.every((mark) => model.asked.get(mark) === 1)).toBe(true);
    tookMs.sort((a, b) => a - b);
    const at = (quantile: number) => Math.round(tookMs[Math.floor(tookMs.length * quantile)] ?? 0);
    console.log(`interrupt ×${interrupts}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
    if (isFull) expect(at(0.99)).toBeLessThan(interruptLimitMs);
  });

  it('finish their turns when asked to stop, or hand them back with the try not counted', async () => {
    const [passing, endless] = await Promise.all([newAgent(), newAgent()]);
    const [ofPassing, ofEndless] = await Promise.all([follow(passing), follow(endless)]);
    await Promise.all([send(passing, { content: markOf(PASSING) }), send(endless, { content: markOf(ENDLESS) })]);
    await until('both turns run', () => model.asked.has(PASSING) && model.asked.has(ENDLESS));
    const stoppedAt = performance.now();
    for (const pid of processesOf(roost.pid, 'agent-runtime')) process.kill(pid, 'SIGTERM');
    await until('both are answered', () =>
      [ofPassing, ofEndless].every(({ count }) => count('message.completed') === 1),
    );
    expect([model.asked.get(PASSING), model.asked.get(ENDLESS)]).toEqual([1, 2]);
    // A turn that was given up with its lease would be the second try.
    const tries = ofEndless.seen.flatMap(({ type, data }) => (type === 'turn.started' ? [data.attempt] : []));
    expect(tries).toEqual([1, 1]);
    const handedBackMs = Math.round(
      (ofEndless.seen.findLast(({ type }) => type === 'turn.started')?.at ?? 0) - stoppedAt,
    );
    console.log(`drain: an endless turn was handed back and claimed again after ${handedBackMs} ms`);
    if (isFull) expect(handedBackMs).toBeLessThan(drainLimitMs);
    await Promise.all([ofPassing.stop(), ofEndless.stop()]);
  });
});
