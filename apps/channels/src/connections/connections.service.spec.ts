import { until } from '#lib/testing';
import { expect, it } from 'vitest';
import { ConnectionsFixture } from '../../test/connections-fixture.js';

it('keeps the connections of others while one cannot be made and another does not end', async () => {
  const fixture = await ConnectionsFixture.open();
  const { bots, connected } = fixture;
  try {
    bots.push(fixture.bot('1', 'broken'), fixture.bot('2', 'sending'), fixture.bot('3', 'well'));
    await fixture.startReplica();
    await until('those that can be are connected', () => connected.length === 2);
    expect(fixture.logged).toHaveBeenCalledWith(expect.objectContaining({ botId: '1' }), 'a bot cannot be connected');
    bots[1] = fixture.bot('2', 'another');
    await fixture.renewedTwice('3');
    expect(connected).toEqual(['sending', 'well']);
    fixture.finishSending();
    await until('the second is connected anew', () => connected.includes('another'));
  } finally {
    await fixture.close();
  }
});
