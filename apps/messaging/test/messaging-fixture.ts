import { Bus, type RunningService } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { claimTurn, sendMessage, syncAgent } from '#lib/contracts';
import { newId } from '#lib/database';
import { freshBus, freshDatabase, until } from '#lib/testing';
import pg from 'pg';
import { start } from '../src/main.js';

export type MessagingFixture = Awaited<ReturnType<typeof messagingFixture>>;

/** The service alone, on a database and a bus of its own, and what tests ask it for. */
export async function messagingFixture() {
  const accountId = newId();
  const [database, nats] = await Promise.all([freshDatabase(), freshBus('messaging')]);
  const service: RunningService = await start({
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    NATS_CREDS: nats.serviceCreds,
    ROOST_LEASE_MS: '60000',
    ROOST_RETRY_BASE_MS: '1',
    ROOST_METRICS_PORT: '0',
  });
  const bus = new Bus(await nats.connect(), 'test');

  const account = () => ({ ...ownCall('req_test'), accountId });
  const agent = async () => {
    const agentId = newId();
    await bus.request(syncAgent, { agentId, accountId, status: 'active', revision: 1 });
    return agentId;
  };
  const send = (agentId: string, content: string, more: object = {}) =>
    bus.request(
      sendMessage,
      { agentId, content, metadata: {}, channel: 'api', queueMode: 'collect', conversationId: 'default', ...more },
      account(),
    );
  const claim = () =>
    until(
      'a turn is claimed',
      async () => (await bus.request(claimTurn, { workerId: 'w' }, ownCall('c'))).turn ?? false,
    );
  const rows = new pg.Client({ connectionString: database.url });
  await rows.connect();
  /** Ends the lease of a turn, as when its worker renews it no more. */
  const lose = ({ turnId }: { turnId: string }) =>
    rows.query(`UPDATE messaging.turns SET lease_until = 'epoch' WHERE id = $1`, [turnId]);
  return {
    ...{ accountId, service, bus, account, agent, send, claim, lose, databaseUrl: database.url },
    async stop() {
      await rows.end();
      await service.stop();
      await bus.connection.close();
      nats.release();
      await database.drop();
    },
  };
}

export const usage = { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 };

/** What a worker reports a turn by. */
export const fenceOf = ({ turnId, fencingToken }: { turnId: string; fencingToken: number }) => ({
  turnId,
  fencingToken,
});

/** Asks for the latest texts of the default conversation before a message. */
export const recentBefore = (agentId: string, before: string) => ({
  agentId,
  conversationId: 'default',
  before,
  since: null,
  limit: 20,
  maxChars: 1_000,
});
