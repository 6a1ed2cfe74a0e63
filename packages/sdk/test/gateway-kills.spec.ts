import { startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markOf, marksIn, type StandInModel, startStandInModel } from '../../../test/doubles/stand-in-model.js';
import { Roost } from '../src/index.js';
import { converse, type Outcome } from './converse.js';
import { KillableGateway } from './killable-gateway.js';

/** `npm run test:sdk-streams` takes the whole number. */
const isFull = process.env['ROOST_FULL'] === '1';
const CONVERSATIONS = isFull ? 200 : 24;
const AGENTS = isFull ? 50 : 12;
const KILLS = isFull ? 3 : 1;

describe(`${CONVERSATIONS} conversations over ${KILLS} kills of the gateway`, () => {
  let roost: TestRoost;
  let gateway: KillableGateway;
  let model: StandInModel;
  let sdk: Roost;
  beforeAll(async () => {
    model = await startStandInModel({ answerMs: isFull ? 3_000 : 1_500, morePieces: 20 });
    roost = await startRoost({
      env: { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'sk', ROOST_DEFAULT_MODEL: 'openai/stand-in' },
    });
    gateway = await KillableGateway.start(roost, { ROOST_QUOTA_EVENT_STREAMS: '1000' });
    sdk = new Roost({ url: gateway.url, apiKey: roost.apiKey });
  });
  afterAll(async () => {
    await gateway?.end();
    await roost?.stop();
    model?.close();
  });

  it('have no gap and no double, and nobody who reads them notices', async () => {
    const agents = await Promise.all(Array.from({ length: AGENTS }, (_, n) => sdk.agents.create({ name: `a${n}` })));
    const outcomes: Outcome[] = [];
    const all = Promise.all(
      Array.from({ length: CONVERSATIONS }, async (_, n) => {
        const agent = agents[n % AGENTS];
        outcomes.push(await converse(sdk, agent?.id ?? '', `answer ${markOf(n)}`, `c${n}`));
      }),
    );
    // A kill while some are answered, some are being answered and some wait.
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const settled = Math.max(1, Math.floor((CONVERSATIONS * kill) / (KILLS + 2)));
      await Promise.race([all, until('some are answered', () => outcomes.length >= settled, { timeoutMs: 120_000 })]);
      await gateway.kill();
    }
    await all;
    expect(outcomes.flatMap(({ faults }) => faults)).toEqual([]);
    expect(gateway.kills).toBe(KILLS);
    // What the readers saw is what there is: each message once, with one reply that is its own.
    const kept = await Promise.all(agents.map(({ messages }) => messages.list({ limit: 100 }).toArray()));
    const sent = kept.flat().filter(({ role }) => role === 'user');
    const replies = kept.flat().filter(({ role }) => role === 'assistant');
    expect(sent.map(({ content }) => marksIn(content)[0]).sort((a = 0, b = 0) => a - b)).toEqual(
      Array.from({ length: CONVERSATIONS }, (_, n) => n),
    );
    expect(new Set(replies.map(({ reply_to_id }) => reply_to_id)).size).toBe(CONVERSATIONS);
    expect(replies.map(({ content }) => content).sort()).toEqual(outcomes.map(({ reply }) => reply).sort());
  });
});
