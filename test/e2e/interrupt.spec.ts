import { followEvents, type FollowedEvent, spawnRoost, type SpawnedRoost, temporaryFolder, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markOf, startStandInModel, type StandInModel } from '../chaos/stand-in-model.js';

/** ROOST_FULL=1 measures 100 interrupts and holds the p99 against its limit. */
const isFull = process.env.ROOST_FULL === '1';
const interrupts = isFull ? 100 : 3;
const limitMs = 1_000;

describe('interrupt', () => {
  let model: StandInModel;
  let roost: SpawnedRoost;

  beforeAll(async () => {
    model = await startStandInModel(30_000);
    roost = await spawnRoost({
      dataDir: temporaryFolder(),
      args: ['--replicas', 'agent-runtime=2', '--replicas', 'messaging=2'],
      env: {
        OPENAI_BASE_URL: model.url,
        ROOST_DEFAULT_MODEL: 'openai/stand-in',
        ROOST_RATE_LIMIT_PER_MINUTE: '1000000',
      },
    });
  });
  afterAll(async () => {
    await roost?.stop();
    model?.close();
  });

  it('stops a turn in another process, keeps what was said, and answers its batch never again', async () => {
    const { id: agentId } = (await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a' })).body;
    const messages = `/v1/agent/${agentId}/messages`;
    const seen: (FollowedEvent & { at: number })[] = [];
    let isOpen = false;
    const stream = followEvents(
      `${roost.url}/v1/agent/${agentId}/events`,
      { authorization: `Bearer ${roost.apiKey}` },
      (event) => seen.push({ ...event, at: performance.now() }),
      { onOpen: () => (isOpen = true) },
    );
    await until('the stream is open', () => isOpen);
    const last = (type: string) => seen.findLast((event) => event.type === type);
    const count = (type: string) => seen.filter((event) => event.type === type).length;
    const tookMs: number[] = [];
    await roost.api('POST', messages, { content: markOf(0) });
    for (let n = 1; n <= interrupts; n += 1) {
      await until(`turn ${n} speaks`, () => count('turn.started') === n && seen.at(-1)?.type === 'text.delta', {
        timeoutMs: 60_000,
        everyMs: 5,
      });
      const sent = await roost.api('POST', messages, { content: markOf(n), queue_mode: 'interrupt' });
      expect(sent.status).toBe(201);
      const acceptedAt = performance.now();
      await until('the turn is stopped', () => count('turn.interrupted') === n, { timeoutMs: 60_000, everyMs: 1 });
      tookMs.push((last('turn.interrupted')?.at ?? 0) - acceptedAt);
      expect(String(last('turn.interrupted')?.data.partial_reply)).toMatch(/^I have/);
    }
    await stream.stop();
    // Or the drain would wait for the last turn's long answer.
    await roost.api('POST', `/v1/agent/${agentId}/stop`);
    const { body } = await roost.api<{ messages: { role: string; status: string }[] }>('GET', `${messages}?limit=100`);
    expect(body.messages.every(({ role }) => role === 'user')).toBe(true);
    // Asked once each: an interrupted batch goes to no model again.
    expect([...model.asked.values()].every((times) => times === 1)).toBe(true);
    tookMs.sort((a, b) => a - b);
    const p99 = tookMs[Math.floor(tookMs.length * 0.99)] ?? 0;
    console.log(
      `interrupt ×${interrupts}: p50 ${Math.round(tookMs[tookMs.length >> 1] ?? 0)} ms, p99 ${Math.round(p99)} ms`,
    );
    if (isFull) expect(p99).toBeLessThan(limitMs);
  }, 300_000);
});
