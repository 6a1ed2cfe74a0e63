import { Database, newId } from '#lib/database';
import type { AccountLimits } from '#lib/quotas';
import { type FreshDatabase, freshDatabase, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InboundMessage } from '../adapters/channel-adapter.js';
import { deleteAgent } from '../bindings/bindings.repository.js';
import { migrations } from '../migrations/index.js';
import { LinkCodesService } from './link-codes.service.js';

describe('a code that is redeemed while its agent is deleted', () => {
  let server: FreshDatabase;
  let database: Database;
  const bot = { platform: 'telegram', botId: '4242' } as const;
  const message = { sender: { id: '7', username: 'ann' } } as InboundMessage;
  const [accountId, agentId] = [newId(), newId()];

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'channels', migrations, poolSize: 4 });
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  it('leaves no binding', async () => {
    let deletion: Promise<void> | undefined;
    /** In place of the gateway, which is asked when the code has been taken. */
    const limits = {
      async of() {
        let hasEnded = false;
        deletion = database.transaction((tx) => deleteAgent(tx, agentId)).finally(() => (hasEnded = true));
        await until('the deletion waits or has ended', async () => hasEnded || (await isOneWaiting()));
        return 10;
      },
    };
    const codes = new LinkCodesService(database, limits as unknown as AccountLimits);
    const { code } = await codes.create({ ...bot, accountId, agentId, agentName: 'Robin' });
    await expect(codes.redeem(bot, message, '7', code)).resolves.toMatchObject({ outcome: 'linked' });
    await deletion;
    expect(await database.query(`SELECT agent_id FROM bindings`)).toEqual([]);
    expect(await database.query(`SELECT agent_id FROM link_codes`)).toEqual([]);
  });

  const isOneWaiting = async () => {
    const waiting = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return waiting.length > 0;
  };
});
