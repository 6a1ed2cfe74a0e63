import { spawnRoost, type SpawnedRoost, temporaryFolder, until } from '#lib/testing';
import { processIdentity, processesWithArgument } from '#tools/launcher';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenOf } from '../ledger/roost/child-processes.js';

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const programOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
const servicesPid = (launcher: number) =>
  childrenOf(launcher).find((pid) => programOf(pid).some((argument) => argument.endsWith('/services-process.js')));
const descendantsOf = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
const serverPids = (dataDir: string) =>
  [
    ...processesWithArgument(['postgres'], join(dataDir, 'postgres')),
    ...processesWithArgument(['nats-server'], join(dataDir, 'nats', 'nats-server.conf')),
  ].map(({ pid }) => pid);

describe('npm start', () => {
  let roost: SpawnedRoost;
  let dataDir = '';
  beforeAll(async () => {
    dataDir = join(temporaryFolder(), 'data');
    // As an earlier version left it.
    mkdirSync(join(dataDir, 'logs'), { recursive: true });
    writeFileSync(join(dataDir, 'logs', 'roost.log'), '{"level":30,"msg":"old"}\n');
    for (const path of [dataDir, join(dataDir, 'logs')]) chmodSync(path, 0o755);
    chmodSync(join(dataDir, 'logs', 'roost.log'), 0o644);
    roost = await spawnRoost({ dataDir });
  });
  afterAll(() => roost?.stop());

  it('starts the services again when their process dies, says so, and goes on answering', async () => {
    const first = servicesPid(roost.pid)!;
    const { body } = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a' });
    process.kill(first, 'SIGKILL');
    await until('they run again', () => /process of the services runs again/.test(roost.output()));
    expect(roost.output()).toMatch(/process of the services ended \(SIGKILL\); starting it again/);
    expect(servicesPid(roost.pid)).not.toBe(first);
    expect((await roost.api('GET', `/v1/agent/${body.id}`)).status).toBe(200);
    const notes = await until('both are in the log', () => {
      const log = readFileSync(join(dataDir, 'logs', 'roost.log'), 'utf8')
        .split('\n')
        .slice(0, -1);
      const lines = log.map((line) => JSON.parse(line) as { service?: string; msg: string });
      const found = lines.filter(({ service }) => service === 'launcher');
      return found.length >= 2 && found;
    });
    expect(notes.map(({ msg }) => msg)).toEqual([
      expect.stringContaining('starting it again'),
      expect.stringContaining('runs again'),
    ]);
  });

  it('keeps its folder and log to its owner, those of an earlier version too', () => {
    expect(modeOf(dataDir)).toBe(process.getuid?.() === 0 ? '710' : '700');
    for (const folder of ['logs', 'nats', 'postgres']) expect(modeOf(join(dataDir, folder)), folder).toBe('700');
    for (const file of [
      'logs/roost.log',
      'logs/nats.log',
      'logs/postgres.log',
      'api-key',
      'profile.json',
      'master-key',
    ])
      expect(modeOf(join(dataDir, file)), file).toBe('600');
  });

  it('goes on when nobody reads its output any more, and ends in order', async () => {
    roost.closeOutput();
    const first = servicesPid(roost.pid)!;
    process.kill(first, 'SIGKILL');
    const isReady = () =>
      roost.api('GET', '/health/ready').then(
        ({ status }) => status === 200,
        () => false,
      );
    await until('its services run again', async () => servicesPid(roost.pid) !== first && (await isReady()));
    expect(await roost.stop()).toBe(0);
    roost = await spawnRoost({ dataDir });
  });

  it('leaves no server behind when the launcher is killed', async () => {
    const pids = [servicesPid(roost.pid)!, ...serverPids(dataDir)];
    expect(pids.length).toBe(3);
    await roost.kill();
    await until('all have ended', () => pids.every((pid) => processIdentity(pid) === undefined));
    roost = await spawnRoost({ dataDir, underNpm: true });
    expect((await roost.api('GET', '/health/ready')).status).toBe(200);
  });

  it('ends all that it started when npm is asked to end', async () => {
    const started = descendantsOf(roost.pid);
    expect(started.length).toBeGreaterThan(4);
    await roost.stop();
    await until('all have ended', () => started.every((pid) => processIdentity(pid) === undefined));
    expect(serverPids(dataDir)).toEqual([]);
  });

  it('shows every setting with --print-config, secrets masked, and starts nothing', () => {
    const folder = join(temporaryFolder(), 'none');
    const { PATH, HOME } = process.env;
    const { stdout } = spawnSync(process.execPath, ['tools/start.mjs', '--print-config', '--data', folder], {
      env: { PATH, HOME, OPENAI_API_KEY: 'sk-hidden', DATABASE_POOL_SIZE: 'many' },
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^OPENAI_API_KEY=\*\*\*/m);
    expect(stdout).not.toContain('sk-hidden');
    expect(stdout).toMatch(/^ROOST_MASTER_KEY= {2}# made by the start/m);
    expect(stdout).toMatch(/^DATABASE_POOL_SIZE= {2}# .+/m);
    expect(stdout).toMatch(/^PORT=3000 /m);
    expect(existsSync(folder)).toBe(false);
  });

  it('names every setting that is wrong, and starts nothing', async () => {
    const wrong = {
      DATABASE_POOL_SIZE: 'many',
      ROOST_LOG_LEVEL: 'loud',
      ROOST_MASTER_KEY_FILE: '/nowhere',
    };
    const { all } = await failureOf({ dataDir, env: wrong });
    for (const name of Object.keys(wrong)) expect(all).toContain(`  ${name}`);
    expect(all).not.toMatch(/^ +at /m);
    expect(serverPids(dataDir)).toEqual([]);
  });
});

describe.concurrent('npm start says in one line why it cannot start', () => {
  const listening: Server[] = [];
  afterAll(() => listening.forEach((server) => server.close()));
  /** Takes connections and never says a word. */
  const silentPort = async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    listening.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return (server.address() as { port: number }).port;
  };
  it.each([
    ['a file', () => file(), /is not a folder/],
    ['below a file', () => join(file(), 'data'), /not a folder/],
    ['not to be written', () => '/proc/roost', /cannot be made|may not be written/],
    ["a folder with somebody's files", () => foreign(), /"thesis\.txt"/],
  ])('--data is %s', async (_, path, words) => {
    const { printed, all } = await failureOf({ dataDir: path() });
    expect(printed).toMatch(words);
    expect(printed).toContain('--data');
    expect(all).not.toMatch(/^ +at /m);
  });

  it('the port is in use', async () => {
    const port = await silentPort();
    expect((await failureOf({ port })).printed).toMatch(`Port ${port} on 127.0.0.1 is in use`);
  });

  it.each([
    ['DATABASE_URL', 'refuses', async () => 'postgres://u:hidden@127.0.0.1:1/x'],
    ['DATABASE_URL', 'is silent', async () => `postgres://u:hidden@127.0.0.1:${await silentPort()}/x`],
    ['DATABASE_URL', 'is no address', async () => 'not a url'],
    ['NATS_URL', 'refuses', async () => 'nats://127.0.0.1:1'],
    ['NATS_URL', 'is silent', async () => `nats://127.0.0.1:${await silentPort()}`],
  ])('what %s names %s', async (name, _, url) => {
    const { printed, all, tookMs } = await failureOf({ env: { [name]: await url() } });
    expect(printed).toContain(name);
    expect(all).not.toContain('hidden');
    expect(tookMs).toBeLessThan(40_000);
  });
});

/** What it says when it does not start; fails when it does. */
async function failureOf(options: Partial<Parameters<typeof spawnRoost>[0]>) {
  const began = Date.now();
  const all = await spawnRoost({ dataDir: join(temporaryFolder(), 'data'), ...options }).then(
    async (roost) => {
      await roost.stop();
      throw new Error('it started');
    },
    (reason: unknown) => String(reason),
  );
  const printed = all.split('\n').filter((line) => line.startsWith('Roost: '));
  return { printed: printed.join('\n'), all, tookMs: Date.now() - began };
}

function file(): string {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, '');
  return path;
}

function foreign(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'thesis.txt'), 'years of work');
  return folder;
}
