import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ZodError } from 'zod';
import { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { createWebhookEndpoint, messageCompleted, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { freshBus, freshDatabase, startTestServers, until, publishEvent } from '#lib/testing';
import { migrations } from '../../apps/webhook-dispatch/src/migrations/index.js';
import { completed } from '../../apps/webhook-dispatch/test/start-dispatch.js';
import { openClosedNetwork } from '../closed-network/closed-network.js';
import { denied4, denied6, open4 } from './addresses.js';
import { corpus } from './corpus.js';

/** What the dispatcher did with URLs of the corpus; the last line of the output. */
export interface DispatcherReport {
  registered: { refused: number; accepted: number };
  /** Names that led outside when they were registered and inside when an event came. */
  rebound: { endpoints: number; blocked: number; otherwise: string[] };
  /** A receiver that may be reached: the events that it got. */
  delivered: number;
  packetsOutside: number;
  deniedConnections: number;
  /** Connections to this machine's own ports that URLs of the corpus name. */
  localConnections: number;
}

/** Every n-th denied case. */
const step = Number(process.argv[2] ?? 1);
const ZONE = 'dispatcher-corpus.org';
const nameOf = (index: number) => `r${index}.${ZONE}`;
const receiver = `receiver.${ZONE}`;
const denied = [...denied4, ...denied6].filter((_, index) => index % Math.min(step, 3) === 0);
const [good = '', receiverAddress = ''] = open4;

const leadingOut = Object.fromEntries(denied.map((_, index) => [nameOf(index), [[good]]]));
const leadingIn = Object.fromEntries(denied.map((address, index) => [nameOf(index), [[address]]]));
const always = { ...corpus.names, [receiver]: [[receiverAddress]] };

const certificateFile = join(mkdtempSync(join(tmpdir(), 'dispatcher-')), 'ca.pem');
const network = await openClosedNetwork({
  open: corpus.openAddresses,
  names: { ...always, ...leadingOut },
  certificateHosts: [`*.${ZONE}`],
  certificateFile,
});
let localConnections = 0;
const localPorts = [80, 443, 8080, 8443].map((port) =>
  createServer((socket) => {
    localConnections += 1;
    socket.destroy();
  }).listen(port, '::'),
);
const servers = await startTestServers();
const [database, nats] = await Promise.all([freshDatabase(), freshBus('webhook-dispatch')]);
const dispatcher = spawn(
  process.execPath,
  [fileURLToPath(new URL('../../apps/webhook-dispatch/src/main.js', import.meta.url))],
  {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      NODE_EXTRA_CA_CERTS: certificateFile,
      NATS_URL: nats.url,
      NATS_CREDS: nats.serviceCreds,
      DATABASE_URL: database.url,
      ROOST_MASTER_KEY: randomBytes(32).toString('base64'),
    },
  },
);
const bus = new Bus(await nats.connect(), 'tester');
const newTenant = () => ({ accountId: randomUUID(), agentId: randomUUID(), endpoints: 0 });
const tenants = [newTenant()];

/** True when the dispatcher took the URL. An account may have 100 endpoints: the next ones are another account's. */
const register = async (url: string): Promise<boolean> => {
  let tenant = tenants.at(-1) ?? newTenant();
  if (tenant.endpoints === 100) tenants.push((tenant = newTenant()));
  const endpoint = { url, events: ['*' as const], agentIds: null, description: null, enabled: true };
  try {
    await bus.request(createWebhookEndpoint, endpoint, {
      ...ownCall('req_guard', 20_000),
      accountId: tenant.accountId,
    });
    tenant.endpoints += 1;
    return true;
  } catch (error) {
    if (error instanceof RoostError && error.code === 'VALIDATION_ERROR') return false;
    if (error instanceof ZodError) return false; // against the contract itself, as an empty one is: it is never sent
    throw error;
  }
};

await until('the dispatcher answers', () => register(`https://${receiver}:8443/`).catch(() => false));
const registered = { refused: 0, accepted: 0 };
// The policy of servers is HTTPS alone: over HTTP a case would be refused for its scheme.
for (const { url } of corpus.denied.filter((_, index) => index % step === 0)) {
  if (await register(url.replace(/^http:/, 'https:'))) registered.accepted += 1;
  else registered.refused += 1;
}
let rebound = 0;
for (const [index] of denied.entries()) if (await register(`https://${nameOf(index)}:8443/`)) rebound += 1;
await network.setNames({ ...always, ...leadingIn });

const rows = await Database.open({
  url: database.url,
  schema: 'webhooks',
  migrations,
  poolSize: 2,
});
for (const { accountId, agentId } of tenants) {
  await rows.query(`INSERT INTO agents (agent_id, account_id) VALUES ($1, $2)`, [agentId, accountId]);
  await publishEvent(bus.connection, messageCompleted, completed(accountId, agentId, 'to all of them'));
}
interface Ended {
  url: string;
  status: string;
}
const ended = await until(
  'every delivery was tried',
  async () => {
    const all = await rows.query<Ended & { attempt_count: number }>(
      `SELECT e.url, d.status, d.attempt_count FROM endpoints e LEFT JOIN deliveries d ON d.endpoint_id = e.id`,
    );
    return all.every(({ attempt_count }) => attempt_count > 0) && all;
  },
  { timeoutMs: 120_000 },
);
const ofNames = ended.filter(({ url }) => /\/\/r\d+\./.test(url));
const report: DispatcherReport = {
  registered,
  rebound: {
    endpoints: rebound,
    blocked: ofNames.filter(({ status }) => status === 'blocked').length,
    otherwise: ofNames.filter(({ status }) => status !== 'blocked').map(({ url, status }) => `${url} ${status}`),
  },
  delivered: ended.filter(({ url, status }) => url.includes(receiver) && status === 'succeeded').length,
  packetsOutside: network.deniedPackets().outside,
  deniedConnections: (await network.connections()).denied,
  localConnections,
};
const gone = once(dispatcher, 'exit');
dispatcher.kill('SIGTERM');
await gone;
for (const server of localPorts) server.close();
await rows.close();
await bus.connection.close();
await servers.stop();
await network.close();
console.log(JSON.stringify(report));
process.exit(0);
