import type { Bus } from '#lib/bus';
import { newId } from '#lib/database';
import type { Logger } from '#lib/observability';
import { until } from '#lib/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { messagingDatabase } from '../../test/messaging-database.js';
import { recordAgent } from '../agents/agents.repository.js';
import { FinishedMessages } from '../messages/finished-messages.js';
import { sendMessages } from '../messages/send.repository.js';
import { AccountRotation } from './account-rotation.js';
import { claimTurn } from './claims.service.js';
import { LeaseSweep } from './lease-sweep.js';

let given: Awaited<ReturnType<typeof messagingDatabase>>;
beforeAll(async () => {
  given = await messagingDatabase();
});
afterAll(() => given.drop());

/** A turn whose worker is lost. */
async function lostTurn(): Promise<string> {
  const { database } = given;
  const agent = { agentId: newId(), accountId: newId() };
  await database.transaction((tx) => recordAgent(tx, { ...agent, status: 'active', revision: 1 }));
  const input = {
    ...{ agentId: agent.agentId, content: 'm', metadata: {}, conversationId: 'c' },
    ...{ channel: 'api' as const, queueMode: 'collect' as const },
  };
  await sendMessages(database, [{ input, accountId: agent.accountId, headers: {} }]);
  const turn = await claimTurn(database, new AccountRotation(), { workerId: 'w', leaseMs: 30_000, fullAccounts: [] });
  await database.query(`UPDATE turns SET lease_until = 'epoch' WHERE id = $1`, [turn?.turnId]);
  return turn?.turnId ?? '';
}

it('gives the turns of lost workers to others, also behind one that cannot be ended', async () => {
  const { database } = given;
  const broken = await lostTurn();
  const others = [await lostTurn(), await lostTurn()];
  await database.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'this turn cannot be ended'; END $$`);
  await database.query(
    `CREATE TRIGGER refuse BEFORE UPDATE ON turns FOR EACH ROW WHEN (OLD.id = '${broken}') EXECUTE FUNCTION refuse()`,
  );
  const bus = { signal: () => undefined, hint: () => undefined } as unknown as Bus;
  const logged = vi.fn();
  const logger = { error: logged, warn: logged } as unknown as Logger;
  const sweep = new LeaseSweep(database, bus, { announce: () => undefined } as unknown as FinishedMessages, logger);
  const open = () => database.query<{ id: string }>(`SELECT id FROM turns WHERE state = 'running'`);
  sweep.onApplicationBootstrap();
  await until('the others are ended', async () => (await open()).length === 1);
  await sweep.beforeApplicationShutdown();
  expect((await open()).map(({ id }) => id)).toEqual([broken]);
  expect(others).not.toContain(broken);
  expect(logged).toHaveBeenCalledWith(
    expect.objectContaining({ turnId: broken }),
    'a turn or an approval that is over cannot be ended',
  );
});
