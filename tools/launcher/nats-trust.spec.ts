import { parseCreds } from '@nats-io/jwt';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accountCredentials, servicePermissions } from '#lib/nats-auth';
import { temporaryFolder } from '#lib/testing';
import { keptTrust, serviceAccess } from './nats-trust.js';
import { services } from './services.js';

describe('credentials in a data folder', () => {
  it('are made anew at each start: those of an earlier version, which might do anything, are gone', async () => {
    const natsDir = temporaryFolder();
    const trust = await keptTrust(natsDir, ['ROOST']);
    const seed = trust.accounts[0]?.seed ?? '';
    const folder = join(natsDir, 'credentials');
    mkdirSync(folder, { mode: 0o700 });
    for (const { name } of services)
      writeFileSync(join(folder, `${name}.creds`), await accountCredentials(seed, name), { mode: 0o600 });

    const access = serviceAccess(folder, (await keptTrust(natsDir, ['ROOST'])).accounts[0]?.seed ?? '');
    for (const { name } of services) {
      const path = await access.credsFile(name);
      expect(path).toBe(join(folder, `${name}.creds`));
      const { nats, iss } = (await parseCreds(readFileSync(path))).uc;
      const { pub, sub } = servicePermissions(name);
      expect([nats.pub?.allow, nats.sub?.allow]).toEqual([pub?.allow, sub?.allow]);
      expect(iss).toBe(trust.accounts[0]?.publicKey);
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
  });
});
