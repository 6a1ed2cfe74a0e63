import { parseCreds } from '@nats-io/jwt';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { accountCredentials, adminPermissions, servicePermissions } from '#lib/nats-auth';
import { freshDatabase, temporaryFolder } from '#lib/testing';
import { services } from '../launcher/services.js';
import { makeRoles } from './make-roles.js';
import { setUp } from './setup.js';

const userIn = async (path: string) => {
  const { name, nats } = (await parseCreds(readFileSync(path))).uc;
  return { name, pub: nats.pub?.allow, sub: nats.sub?.allow };
};

describe('setup', () => {
  it("writes connection strings of services' own roles, which database-roles makes and others are refused by", async () => {
    const folder = temporaryFolder();
    const database = await freshDatabase();
    writeFileSync(join(folder, 'database-url'), database.url, { mode: 0o600 });
    await setUp(folder);
    const urlOf = (name: string) => readFileSync(join(folder, `database-url-${name}`), 'utf8').trim();
    // As the chart does, one by one, and as compose does, all.
    await makeRoles({ DATABASE_URL_FILE: join(folder, 'database-url') }, 'messaging');
    await makeRoles({ DATABASE_URL_FILE: join(folder, 'database-url') });
    for (const { name, schema } of services) {
      expect(statSync(join(folder, `database-url-${name}`)).mode & 0o777).toBe(0o600);
      const client = new pg.Client({ connectionString: urlOf(name) });
      await client.connect();
      await client.query(`CREATE TABLE ${schema}.mine (id int)`);
      const other = services.find((service) => service.schema !== schema)?.schema ?? '';
      await expect(client.query(`CREATE TABLE ${other}.theirs (id int)`)).rejects.toThrow(/permission denied/);
      await client.end();
    }
    await database.drop();
  });

  it('replaces what an earlier version made too wide, and leaves keys and the account as they are', async () => {
    const folder = temporaryFolder();
    await setUp(folder);
    const kept = ['api-key', 'master-key', 'postgres-password', 'database-url', 'account.seed', 'nats-accounts.conf'];
    const before = kept.map((name) => readFileSync(join(folder, name), 'utf8'));
    const seed = readFileSync(join(folder, 'account.seed'), 'utf8');
    for (const { name } of services)
      writeFileSync(join(folder, `${name}.creds`), await accountCredentials(seed, name), { mode: 0o600 });

    await setUp(folder);
    for (const { name } of services) {
      const { pub, sub } = servicePermissions(name);
      expect(await userIn(join(folder, `${name}.creds`))).toEqual({ name, pub: pub?.allow, sub: sub?.allow });
      expect(statSync(join(folder, `${name}.creds`)).mode & 0o777).toBe(0o600);
    }
    expect((await userIn(join(folder, 'admin.creds'))).pub).toEqual(adminPermissions().pub?.allow);
    expect(kept.map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(before);
  });
});
