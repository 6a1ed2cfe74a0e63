import { startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  discordDouble,
  type PlatformDouble,
  slackDouble,
  telegramDouble,
} from '../../apps/channels/test/doubles/index.js';

interface Approval {
  id: string;
  status: string;
  answer: unknown;
  decided_by: { type: string; id: string } | null;
  shown: { where: string }[];
}

const ANN = 7;

/** Messaging, the runtime with a real sandbox and the platforms together; each service against doubles has its own spec. */
describe('approvals in chats', () => {
  let roost: TestRoost;
  let agentId: string;
  const doubles = new Map<string, PlatformDouble>();

  beforeAll(async () => {
    const opened = await Promise.all([discordDouble(), slackDouble(), telegramDouble()]);
    for (const double of opened) doubles.set(double.platform, double);
    const env = Object.assign({}, ...opened.flatMap(({ variables, sharedBot }) => [variables, sharedBot])) as Record<
      string,
      string
    >;
    roost = await startRoost({ env });
    const permissions = { rules: [{ tool: 'bash', action: 'ask' }] };
    const body = { name: 'Robin', configuration: { model: 'demo', permissions } };
    agentId = (await roost.api<{ id: string }>('POST', '/v1/agent/create', body)).body.id;
  });
  afterAll(async () => {
    await roost?.stop();
    for (const double of doubles.values()) await double.stop();
  });

  const approvals = async (status: string) =>
    (await roost.api<{ approvals: Approval[] }>('GET', `/v1/approvals?status=${status}`)).body.approvals;

  it.each(['discord', 'slack', 'telegram'])(
    'are shown on %s, decided there, and the agent goes on; a question is answered there',
    async (platform) => {
      const double = doubles.get(platform);
      if (!double) throw new Error(`${platform} was not opened`);
      const shows = (text: string) =>
        until(`it shows ${text}`, () => double.shown(ANN).some((part) => double.visible(part).includes(text)));
      const card = (label: string) =>
        until('it is asked', () => {
          const last = double.lastCard(ANN);
          return last?.buttons[label] === undefined ? undefined : last.buttons[label];
        });
      const { body } = await roost.api<{ code: string }>('POST', `/v1/agent/${agentId}/${platform}/link`);
      await until('the bot takes the code', async () => {
        await double.say(ANN, `/link ${body.code}`);
        return until('linked', () => double.shown(ANN).some((text) => text.includes('You are talking to')), {
          timeoutMs: 3_000,
        }).catch(() => false);
      });
      await double.say(ANN, `run: echo done-$((40+2))-${platform}`);
      const allow = await card('Allow once');
      const [pending] = await approvals('pending');
      await double.press(ANN, allow);
      await shows(`done-42-${platform}`);
      const decided = (await roost.api<Approval>('GET', `/v1/approvals/${pending?.id}`)).body;
      expect(decided).toMatchObject({ status: 'allowed', decided_by: { type: 'person' } });
      // Where it was shown is recorded after it was.
      const places = async () =>
        (await roost.api<Approval>('GET', `/v1/approvals/${pending?.id}`)).body.shown.map(({ where }) => where);
      await expect.poll(places).toEqual([expect.stringMatching(`^${platform}:`)]);
      await double.say(ANN, 'ask: Which one? | red | blue');
      await double.press(ANN, await card('2. blue'));
      await shows('You answered: blue');
      await double.say(ANN, 'ask: Your name?');
      await card('Do not answer');
      await double.say(ANN, `Ann of ${platform}`);
      await shows(`You answered: Ann of ${platform}`);
      expect((await approvals('answered'))[0]).toMatchObject({ answer: `Ann of ${platform}` });
      expect(await approvals('pending')).toEqual([]);
    },
  );
});
