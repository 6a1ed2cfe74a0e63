import { accountCredentials } from '#lib/nats-auth';
import { newAccount, type SpawnedRoost, spawnRoost, startTestServers, temporaryFolder } from '#lib/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProbeResult } from '../../apps/agent-lifecycle/test/probes/index.js';

type Api = SpawnedRoost['api'];

/** One try to make the platform pay for little. */
interface PlatformProbe {
  name: string;
  /** What the same request does when it asks for little: a probe says nothing where not even that is taken. */
  isPossible(): Promise<boolean>;
  /** Whether it got more than it may have. */
  hasPassed(): Promise<boolean>;
}

export interface Accounts {
  /** Of who attacks. */
  hostile: Api;
  /** Of another account, for whom nothing may change. */
  good: Api;
}

/** An answer is late when it waits for others' turns to end. Forty sandboxes that start delay it too, on a small machine. */
const LATE_MS = 20_000;
/** A message that a trigger makes is cut there. */
const MAX_CHARS = 100_000;
const FIRE_MS = 10_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const json = { 'content-type': 'application/json' };
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

/** What a tenant's requests and agents could cost the others: as the probes of a sandbox, but through the API. */
export async function platformProbes({ hostile, good }: Accounts): Promise<ProbeResult[]> {
  const [bad, other] = await Promise.all([agentOf(hostile), agentOf(good)]);
  const groups: Record<string, PlatformProbe[]> = {
    'payload amplification': amplification(hostile, bad),
    'depth of JSON': depths(hostile, bad),
    'quotas and maxima': quotas(hostile),
    starvation: starvation({ hostile, good }, other),
  };
  const results: ProbeResult[] = [];
  for (const [group, probes] of Object.entries(groups)) {
    for (const { name, ...probe } of probes) {
      const isPossible = await probe.isPossible();
      results.push({ group, name, isPossible, hasPassed: await probe.hasPassed() });
    }
  }
  return results;
}

function amplification(api: Api, agent: string): PlatformProbe[] {
  const trigger = async (name: string, placeholders: number) => {
    const body = { name, message_template: '{{payload}}'.repeat(placeholders) };
    return api<{ id: string; webhook_secret: string }>('POST', `${agent}/triggers`, body);
  };
  return [
    {
      name: 'a template of 5,000 payloads',
      isPossible: async () => (await trigger('few', 2)).status === 201,
      hasPassed: async () => (await trigger('many', 5_000)).status !== 400,
    },
    {
      name: 'a message larger than a prompt may be, of 100 megabytes of payload',
      isPossible: async () => (await longestOf(api, agent, await trigger('small', 1), 'a'.repeat(60))) > 0,
      hasPassed: async () =>
        (await longestOf(api, agent, await trigger('large', 100), 'b'.repeat(900_000))) > MAX_CHARS,
    },
  ];
}

/** Characters of the longest message that triggers made for an agent, after one more fired; 0 when it made none. */
async function longestOf(
  api: Api,
  agent: string,
  { status, body }: { status: number; body: { id: string; webhook_secret: string } },
  text: string,
): Promise<number> {
  if (status !== 201) return 0;
  const headers = { 'x-webhook-secret': body.webhook_secret };
  const fired = await api('POST', `/v1/webhooks/triggers/${body.id}`, { text }, headers);
  if (fired.status >= 300) return 0;
  for (const deadline = Date.now() + FIRE_MS; Date.now() < deadline; await pause(200)) {
    const { body: list } = await api<{ messages: { content: string; role: string }[] }>('GET', `${agent}/messages`);
    const made = list.messages.filter(({ role, content }) => role === 'user' && content.includes(text.slice(0, 50)));
    if (made.length > 0) return Math.max(...made.map(({ content }) => content.length));
  }
  return 0;
}

function depths(api: Api, agent: string): PlatformProbe[] {
  const bodies: [name: string, path: string, body: (depth: number) => string][] = [
    ['a message’s metadata', `${agent}/messages`, (depth) => `{"content":"x","metadata":${nested(depth)}}`],
    ['an agent’s update', agent, (depth) => `{"name":"a","configuration":{"custom_env":${nested(depth)}}}`],
    ['a sign-in', '/auth/login', nested],
  ];
  return bodies.map(([what, path, body]) => {
    const answer = async (depth: number) =>
      (await api(path === agent ? 'PATCH' : 'POST', path, body(depth), json)).status;
    return {
      name: `100,000 levels in ${what}`,
      isPossible: async () => (await answer(2)) < 500,
      // Neither taken nor a fault of the server's: refused.
      hasPassed: async () => [await answer(100_000), await answer(3_000)].some((got) => got < 300 || got >= 500),
    };
  });
}

function quotas(api: Api): PlatformProbe[] {
  const withResources = (resources: object) =>
    api('POST', '/v1/agent/create', { name: 'greedy', configuration: { resources } });
  const more: [name: string, little: object, much: object][] = [
    ['64 processors', { cpu: '500m' }, { cpu: '64' }],
    ['500 GiB of memory', { memory: '256Mi' }, { memory: '500Gi' }],
  ];
  return [
    ...more.map(([name, little, much]) => ({
      name,
      isPossible: async () => (await withResources(little)).status === 201,
      hasPassed: async () => (await withResources(much)).status < 400,
    })),
    {
      name: 'a volume of 500 TiB',
      isPossible: async () => (await api('POST', '/v1/agent/create', { name: 'v', pvc_size: '128Mi' })).status === 201,
      hasPassed: async () => (await api('POST', '/v1/agent/create', { name: 'v', pvc_size: '500Ti' })).status < 400,
    },
    {
      name: 'more agents than the account may have',
      isPossible: async () => (await api('POST', '/v1/agent/create', { name: 'one more' })).status === 201,
      hasPassed: async () => {
        for (let n = 0; n < 300; n += 1) {
          const { status, body } = await api('POST', '/v1/agent/create', { name: `m${n}` });
          if (status !== 201) return !JSON.stringify(body).includes('QUOTA_EXCEEDED');
        }
        return true;
      },
    },
  ];
}

/** Last: its sleepers hold what they get. */
function starvation({ hostile, good }: Accounts, other: string): PlatformProbe[] {
  const answered = async () => {
    const startedAt = performance.now();
    const sent = await good<{ id: string }>('POST', `${other}/messages`, { content: 'hello' });
    const { body } = await good<{ replies?: unknown[] }>('GET', `${other}/messages/${sent.body.id}?wait=30`);
    return body.replies?.length === 1 && performance.now() - startedAt < LATE_MS;
  };
  return [
    {
      name: 'all turns, by agents that sleep',
      isPossible: answered,
      hasPassed: async () => {
        const { body } = await hostile<{ agents: { id: string }[] }>('GET', '/v1/agent/list?limit=40');
        const sleepers = body.agents.map(({ id }) =>
          hostile('POST', `/v1/agent/${id}/messages`, { content: 'run: sleep 60' }),
        );
        await Promise.all(sleepers);
        await pause(2_000);
        return !(await answered());
      },
    },
  ];
}

async function agentOf(api: Api): Promise<string> {
  const { status, body } = await api<{ id: string }>('POST', '/v1/agent/create', { name: 'probe' });
  if (status !== 201) throw new Error(`no agent can be made: ${status}`);
  return `/v1/agent/${body.id}`;
}

/** The probes above against a Roost of their own, with the sandboxes that ROOST_LOCAL_RUNTIME names. */
export async function probePlatform(): Promise<ProbeResult[]> {
  const { ROOST_LOCAL_RUNTIME, ROOST_RUNSC } = process.env;
  const servers = await startTestServers(); // only for its folder, which goes with the run however it ends
  const dataDir = temporaryFolder();
  const env = { ROOST_DEFAULT_MODEL: 'demo', ROOST_RATE_LIMIT_PER_MINUTE: '10000', ROOST_LOCAL_RUNTIME, ROOST_RUNSC };
  try {
    const roost = await spawnRoost({ dataDir, env });
    try {
      const read = (...path: string[]) => readFileSync(join(dataDir, 'nats', ...path), 'utf8').trim();
      const natsCreds = await accountCredentials(read('credentials', 'account.seed'), 'probes');
      const { api: hostile } = await newAccount({ url: roost.url, natsUrl: read('url'), natsCreds });
      return await platformProbes({ hostile, good: roost.api });
    } finally {
      await roost.stop();
    }
  } finally {
    await servers.stop();
  }
}
