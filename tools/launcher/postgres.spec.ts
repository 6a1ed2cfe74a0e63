import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder, until } from '#lib/testing';
import { processIdentity, processesWithArgument } from './process-identity.js';
import { startPostgres, type Postgres } from './postgres.js';

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  // The server is killed under open connections here; the query's own error is what counts.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(statement);
    return rows;
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  const running: Postgres[] = [];
  const start = async (dataDir: string) => {
    const postgres = await startPostgres({ dataDir, log: () => undefined });
    running.push(postgres);
    return postgres;
  };
  afterEach(async () => {
    for (const postgres of running.splice(0)) await postgres.stop();
  });

  it('keeps its data and its password over a stop, and commits to disk', async () => {
    const dataDir = temporaryFolder();
    const first = await start(dataDir);
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS value');
    await first.stop();
    expect(first.pid).toBeUndefined();

    const second = await start(dataDir);
    expect(await query(second.url, 'SELECT value FROM kept')).toEqual([{ value: 1 }]);
    expect(await query(second.url, 'SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
    expect(await query(second.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
    expect(statSync(join(dataDir, 'postgres-password')).mode & 0o777).toBe(0o600);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'starts on a cluster of another machine, whose user has another number',
    async () => {
      const dataDir = temporaryFolder();
      const first = await start(dataDir);
      await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS value');
      await first.stop();
      execFileSync('chown', ['-R', '64321:64321', join(dataDir, 'postgres')]);
      const second = await start(dataDir);
      expect(await query(second.url, 'SELECT value FROM kept')).toEqual([{ value: 1 }]);
    },
  );

  it('asks for the password, also at its socket', async () => {
    const { url } = await start(temporaryFolder());
    expect(await query(url, 'SELECT inet_server_addr() AS address')).toEqual([{ address: null }]);
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });

  it('comes back on the same port with everything committed after a kill -9 of the server', async () => {
    const postgres = await start(temporaryFolder());
    await query(postgres.url, 'CREATE TABLE kept AS SELECT 1 AS value');
    const killed = postgres.pid;
    if (killed === undefined) throw new Error('not running');
    process.kill(killed, 'SIGKILL');
    const rows = await until(
      'the database answers again',
      () => postgres.pid !== killed && query(postgres.url, 'SELECT value FROM kept').catch(() => undefined),
    );
    expect(rows).toEqual([{ value: 1 }]);
  });

  it('ends the server an earlier, killed launcher left on this folder, and starts', async () => {
    const dataDir = temporaryFolder();
    const first = await start(dataDir);
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS value');
    const argv = processesWithArgument(['postgres'], join(dataDir, 'postgres'))[0]?.argv.filter(Boolean) ?? [];
    const owner = statSync(join(dataDir, 'postgres'));
    await first.stop();

    // What a kill -9 of the launcher leaves: the server, without anybody who watches it.
    const ids = process.getuid?.() === 0 ? { uid: owner.uid, gid: owner.gid } : {};
    const orphan = spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore', detached: true, cwd: '/', ...ids });
    await once(orphan, 'spawn');
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    await until('the orphan serves', () => isReady(pidFile));

    const second = await start(dataDir);
    expect(processIdentity(orphan.pid ?? 0)).toBeUndefined();
    expect(await query(second.url, 'SELECT value FROM kept')).toEqual([{ value: 1 }]);
  });

  it('starts over a postmaster.pid whose pid now belongs to a stranger', async () => {
    const dataDir = temporaryFolder();
    await (await start(dataDir)).stop();
    writeFileSync(join(dataDir, 'postgres', 'postmaster.pid'), `${process.pid}\n`, { mode: 0o600 });
    const { url } = await start(dataDir);
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('starts in a folder that only root may enter', async () => {
    const dataDir = join(temporaryFolder(), 'closed');
    mkdirSync(dataDir, { mode: 0o700 });
    const { url } = await start(dataDir);
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('says why it cannot start, and not only that it stops', async () => {
    const dataDir = temporaryFolder();
    await (await start(dataDir)).stop();
    const log = join(dataDir, 'postgres', 'pg_wal');
    for (const name of readdirSync(log)) rmSync(join(log, name), { recursive: true });
    await expect(start(dataDir)).rejects.toThrow(/PANIC:.*checkpoint record/);
  });
});

function isReady(pidFile: string): boolean {
  try {
    return readFileSync(pidFile, 'utf8').split('\n')[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
