import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '#lib/testing';
import { expect, it } from 'vitest';
import { generateSdk } from './generate.js';

const kept = fileURLToPath(new URL('../../packages/sdk/src/generated', import.meta.url));

const filesOf = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );

it('the SDK’s core is the one that the API gives: after a change of the API, npm run generate:sdk', async () => {
  const fresh = join(temporaryFolder(), 'generated');
  await generateSdk(fresh);
  const [made, stored] = [filesOf(fresh), filesOf(kept)];
  expect(Object.keys(stored)).toEqual(Object.keys(made));
  const changed = Object.keys(made).filter((name) => made[name] !== stored[name]);
  expect(changed, 'run npm run generate:sdk and commit what it changes').toEqual([]);
});
