import { spawnRoost, type SpawnedRoost, temporaryFolder, until } from '#lib/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insist, killRepeatedly, PATIENCE_MS, type RepeatedKills } from './repeated-kills.js';

/** ROOST_FULL=1 goes on over 100 kills; in short each service is killed once. */
const KILLS = process.env.ROOST_FULL === '1' ? 100 : 7;
const DOCUMENTS = 3;
const AGENTS_EACH = 2;
/** Of the same document at once, as when a person and CI apply it. */
const CALLERS = 2;
/** Shorter than services wait for each other. */
const GIVE_UP_MS = 3_000;

interface Applied {
  differs: boolean;
  is_complete: boolean;
  objects: { kind: string; name: string; action: string; status: string; error: { code: string } | null }[];
}
interface Agent {
  id: string;
  name: string;
}

let roost: SpawnedRoost;
beforeAll(async () => {
  const env = { ROOST_RATE_LIMIT_PER_MINUTE: '1000000' };
  roost = await spawnRoost({ dataDir: temporaryFolder(), args: ['--processes'], env });
});
afterAll(() => roost?.stop());

const namesOf = (document: number) => Array.from({ length: AGENTS_EACH }, (_, n) => `agent-${document}-${n}`);
const hook = (agent: string, path: string) => `http://127.0.0.1:8099/${agent}/${path}`;

/**
 * Of each kind one thing that changes and one that takes the place of that of the round before; nothing of it ever fires.
 * Of every second agent nothing changes but these.
 */
function wantedIn(round: number, name: string) {
  const own = versionIn(round, name);
  const schedule = { cron_expression: `${round % 60} 4 1 1 *`, message_template: `Round ${round}.` };
  const trigger = { message_template: `Round ${round}: {{payload.title}}` };
  return {
    ...{ system_prompt: `This is round ${own}.`, configuration: { model: 'demo', custom_env: { ROUND: `${own}` } } },
    schedules: { kept: schedule, [`only ${round}`]: schedule },
    triggers: { kept: trigger, [`only ${round}`]: trigger },
    webhooks: {
      [hook(name, 'kept')]: { events: ['agent.error'], description: `Round ${round}.` },
      [hook(name, `only-${round}`)]: { events: ['agent.error'] },
    },
  };
}

/** Of an agent's own configuration. */
const versionIn = (round: number, name: string) => (name.endsWith('-0') ? round : 1);

const documentOf = (document: number, round: number) => ({
  agents: Object.fromEntries(namesOf(document).map((name) => [name, wantedIn(round, name)])),
  prune: true,
});

/** The same again until all of it is done, as the API says that it can be. Gives how often it was sent. */
async function applyUntilDone(document: object): Promise<number> {
  let times = 0;
  let last = '';
  const isDone = async () => {
    times += 1;
    const answer = await putImpatiently(document);
    last = `${answer?.status} ${JSON.stringify(answer?.body)}`;
    // 409: somebody else has made the agent, or changed it, since this was compared with it.
    if (answer && answer.status < 500 && answer.status !== 409) expect(answer.status, last).toBe(200);
    return answer?.status === 200 && answer.body.is_complete;
  };
  await until('the document is applied', isDone, { timeoutMs: PATIENCE_MS, everyMs: 200 }).catch((error: unknown) => {
    throw new Error(`it was not applied in ${times} tries, at last ${last}`, { cause: error });
  });
  return times;
}

/** Undefined where no answer came: the call may still be carried out, later than what is sent next. */
async function putImpatiently(document: object): Promise<{ status: number; body: Applied } | undefined> {
  const call = roost.api<Applied>('PUT', '/v1/agents/apply', document).catch(() => undefined);
  return Promise.race([call, sleep(GIVE_UP_MS, undefined)]);
}

async function expectNoDifference(document: object): Promise<void> {
  const { status, body } = await insist<Applied>(roost, 'PUT', '/v1/agents/apply?dry_run=true', document);
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.objects.filter(({ action }) => action !== 'none')).toEqual([]);
  expect(body.differs).toBe(false);
}

/** One round after the other until the kills are over. Gives the number of rounds, and of calls. */
async function applyInRounds(document: number, kills: RepeatedKills): Promise<{ rounds: number; calls: number }> {
  let [rounds, calls] = [0, 0];
  do {
    rounds += 1;
    const wanted = documentOf(document, rounds);
    const times = await Promise.all(Array.from({ length: CALLERS }, () => applyUntilDone(wanted)));
    calls += times.reduce((sum, each) => sum + each, 0);
    // What was answered as done is there, whatever of the calls before it is still on its way.
    await expectNoDifference(wanted);
  } while (kills.count() < KILLS);
  return { rounds, calls };
}

it(
  'agents, schedules, triggers and webhooks are just as documents say, none twice and none missing, whatever is killed',
  { timeout: 3_600_000 },
  async () => {
    const kills = killRepeatedly(roost, KILLS);
    const startedAt = Date.now();
    const all = Array.from({ length: DOCUMENTS }, (_, document) => document);
    const done = await Promise.all(all.map((document) => applyInRounds(document, kills)));
    await kills.stop();
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    const sum = (of: (one: (typeof done)[number]) => number) => done.reduce((total, one) => total + of(one), 0);
    console.log(
      `${sum(({ rounds }) => rounds)} documents in ${sum(({ calls }) => calls)} calls, ${kills.count()} kills, ${seconds} s`,
    );

    const get = async <Body>(path: string) => (await insist<Body>(roost, 'GET', path)).body;
    const { agents } = await get<{ agents: Agent[] }>('/v1/agent/list?limit=100');
    expect(agents.map(({ name }) => name).sort()).toEqual(all.flatMap(namesOf).sort());
    const { endpoints } = await get<{ endpoints: { url: string; agent_ids: string[] }[] }>('/v1/webhooks/endpoints');
    for (const [document, { rounds }] of done.entries()) {
      for (const { id, name } of agents.filter((agent) => namesOf(document).includes(agent.name))) {
        // Their numbers have no gap: the newest says how many there were.
        const { versions } = await get<{ versions: { version: number }[] }>(`/v1/agent/${id}/versions?limit=1`);
        expect(versions.map(({ version }) => version)).toEqual([versionIn(rounds, name)]);
        const here = { schedules: [`kept`, `only ${rounds}`], triggers: [`kept`, `only ${rounds}`] };
        for (const [kind, names] of Object.entries(here)) {
          const found = await get<Record<string, { name: string }[]>>(`/v1/agent/${id}/${kind}?limit=100`);
          expect(found[kind]?.map((one) => one.name).sort(), `${kind} of ${name}`).toEqual(names);
        }
        const urls = endpoints.filter((endpoint) => endpoint.agent_ids.includes(id)).map(({ url }) => url);
        expect(urls.sort()).toEqual([hook(name, 'kept'), hook(name, `only-${rounds}`)]);
      }
      await expectNoDifference(documentOf(document, rounds));
    }
    expect(endpoints).toHaveLength(DOCUMENTS * AGENTS_EACH * 2);
    expect(kills.count()).toBe(KILLS);
  },
);
