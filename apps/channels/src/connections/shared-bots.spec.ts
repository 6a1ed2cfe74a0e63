import { listChannels } from '#lib/contracts';
import { newId } from '#lib/database';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelsFixture } from '../../test/channels-fixture.js';
import { discordDouble, type PlatformDouble, slackDouble, telegramDouble } from '../../test/doubles/index.js';

describe("the platform's shared bots", () => {
  const doubles: PlatformDouble[] = [];
  const other = newId();
  let fixture: ChannelsFixture;

  beforeAll(async () => {
    doubles.push(...(await Promise.all([discordDouble(), slackDouble(), telegramDouble()])));
    const variables = Object.assign({}, ...doubles.map((double) => ({ ...double.variables, ...double.sharedBot })));
    // Neither agent has a bot of its own.
    fixture = await ChannelsFixture.open(variables, {});
    fixture.bots = [...fixture.bots, { agentId: other, accountId: fixture.accountId, name: 'Wren' }];
    await fixture.startReplica();
  });
  afterAll(async () => {
    await fixture.close();
    for (const double of doubles) await double.stop();
  });

  it('serve every agent without one, each person talking to the agent whose code they sent', async () => {
    for (const double of doubles) {
      const { platform } = double;
      await until(`${platform} is connected`, async () => {
        const { channels } = await fixture.request(listChannels, { agentId: fixture.agentId });
        return channels.find(({ type }) => type === platform)?.health === 'connected';
      });
      await double.say(1, `/link ${await fixture.code(platform)}`);
      await double.say(2, `/link ${await fixture.code(platform, other)}`);
      await until('both are linked', () =>
        [1, 2].every((person) =>
          double
            .shown(person)
            .join()
            .includes(person === 1 ? 'Robin' : 'Wren'),
        ),
      );
      await double.say(1, `one on ${platform}`);
      await double.say(2, `two on ${platform}`);
      const [one, two] = await Promise.all([
        fixture.queued(`one on ${platform}`),
        fixture.queued(`two on ${platform}`),
      ]);
      expect([one.agentId, two.agentId]).toEqual([fixture.agentId, other]);
      await fixture.complete(one, 'for one');
      await fixture.complete(two, 'for two');
      await until(
        'both are answered',
        () => double.shown(1).includes('for one') && double.shown(2).includes('for two'),
      );
      expect(double.shown(1)).not.toContain('for two');
    }
    const connections = await fixture.rows.query(`SELECT 1 FROM connection_leases`);
    expect(connections).toHaveLength(doubles.length);
  });
});
