import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '#lib/testing';
import { expect, it } from 'vitest';
import { withOwnSettings } from './own-settings.js';

it('settings of the launcher may be in files, as those of services', () => {
  const file = join(temporaryFolder(), 'value');
  writeFileSync(file, 'postgres://db/roost\n');
  expect(withOwnSettings({ DATABASE_URL_FILE: file, SMTP_URL_FILE: file })).toMatchObject({
    DATABASE_URL: 'postgres://db/roost',
    SMTP_URL_FILE: file,
  });
  expect(withOwnSettings({ DATABASE_URL_FILE: file })['SMTP_URL']).toBeUndefined();
  expect(withOwnSettings({ NATS_URL: 'nats://bus', NATS_URL_FILE: file }).NATS_URL).toBe('nats://bus');
  expect(withOwnSettings({ PUBLIC_URL: '', PUBLIC_URL_FILE: file }).PUBLIC_URL).toBe('postgres://db/roost');
  expect(() => withOwnSettings({ DATABASE_URL_FILE: '/nowhere' })).toThrow(
    'DATABASE_URL_FILE: /nowhere cannot be read (ENOENT)',
  );
});
