import { listChannels } from '#lib/contracts';
import { newId } from '#lib/database';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelsStage } from '../testing/channels-stage.js';
import { discordPeer, type Peer, slackPeer, telegramPeer } from '../testing/peers.js';

describe("the platform's shared bots", () => {
  const peers: Peer[] = [];
  const other = newId();
  let stage: ChannelsStage;

  beforeAll(async () => {
    peers.push(...(await Promise.all([discordPeer(), slackPeer(), telegramPeer()])));
    const variables = Object.assign({}, ...peers.map((peer) => ({ ...peer.variables, ...peer.sharedBot })));
    // Neither agent has a bot of its own.
    stage = await ChannelsStage.open(variables, {});
    stage.bots = [...stage.bots, { agentId: other, accountId: stage.accountId, name: 'Wren' }];
    await stage.startReplica();
  });
  afterAll(async () => {
    await stage.close();
    for (const peer of peers) await peer.stop();
  });

  it('serve every agent without one, each person talking to the agent whose code they sent', async () => {
    for (const peer of peers) {
      const { platform } = peer;
      await until(`${platform} is connected`, async () => {
        const { channels } = await stage.request(listChannels, { agentId: stage.agentId });
        return channels.find(({ type }) => type === platform)?.health === 'connected';
      });
      await peer.say(1, `/link ${await stage.code(platform)}`);
      await peer.say(2, `/link ${await stage.code(platform, other)}`);
      await until('both are linked', () =>
        [1, 2].every((person) =>
          peer
            .shown(person)
            .join()
            .includes(person === 1 ? 'Robin' : 'Wren'),
        ),
      );
      await peer.say(1, `one on ${platform}`);
      await peer.say(2, `two on ${platform}`);
      const [one, two] = await Promise.all([stage.queued(`one on ${platform}`), stage.queued(`two on ${platform}`)]);
      expect([one.agentId, two.agentId]).toEqual([stage.agentId, other]);
      await stage.complete(one, 'for one');
      await stage.complete(two, 'for two');
      await until('both are answered', () => peer.shown(1).includes('for one') && peer.shown(2).includes('for two'));
      expect(peer.shown(1)).not.toContain('for two');
    }
    const connections = await stage.rows.query(`SELECT 1 FROM connection_leases`);
    expect(connections).toHaveLength(peers.length);
  });
});
