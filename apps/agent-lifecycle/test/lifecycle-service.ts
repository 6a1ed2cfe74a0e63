import { randomBytes, randomUUID } from 'node:crypto';
import { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import type { Environment } from '#lib/config';
import { CreateAgent, createAgent, healthCheck, type RequestContract } from '#lib/contracts';
import { Database } from '#lib/database';
import { freshBus, freshDatabase, temporaryFolder, until } from '#lib/testing';
import type { z } from 'zod';
import { start } from '../src/main.js';
import { migrations } from '../src/migrations/index.js';

/** The service alone, on a database, a bus and a data folder of its own, and a way to ask it as an account. */
export async function lifecycleService(env: Environment = {}) {
  const [database, nats] = await Promise.all([freshDatabase(), freshBus('agent-lifecycle')]);
  const masterKey = randomBytes(32).toString('base64');
  const environment: Environment = {
    NATS_URL: nats.url,
    NATS_CREDS: nats.serviceCreds,
    NATS_ACCOUNT_SEED: nats.accountSeed,
    DATABASE_URL: database.url,
    ROOST_MASTER_KEY: masterKey,
    ROOST_DATA_DIR: temporaryFolder(),
    ROOST_BWRAP: process.env['ROOST_TEST_BWRAP'],
    ROOST_RECONCILE_MS: '100',
    ...env,
  };
  let service = await start(environment);
  const bus = new Bus(await nats.connect(), 'test');
  const rows = await Database.open({ url: database.url, schema: 'lifecycle', migrations, poolSize: 2 });
  const account = randomUUID();

  const ask = async <I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.input<I>,
    accountId: string | null = account,
  ) =>
    bus.request(contract, contract.input.parse(input), {
      ...ownCall(`req_${randomUUID()}`, contract.timeoutMs),
      accountId,
    });
  return {
    account,
    bus,
    rows,
    masterKey,
    ask,
    /** An agent made of the API's own form. */
    agent: (input: Partial<z.input<typeof CreateAgent>> = {}, accountId = account) =>
      ask(createAgent, { name: 'an agent', ...input }, accountId),
    databaseUrl: database.url,
    /** Stops the service and starts it again with other settings. */
    async restart(changes: Environment = {}) {
      await service.stop();
      service = await start({ ...environment, ...changes });
      await until('it answers', () => ask(healthCheck('agent-lifecycle'), {}).catch(() => false as const));
    },
    async stop() {
      await rows.close();
      await bus.connection.close();
      await service.stop();
      nats.release();
      await database.drop();
    },
  };
}
export type LifecycleService = Awaited<ReturnType<typeof lifecycleService>>;
