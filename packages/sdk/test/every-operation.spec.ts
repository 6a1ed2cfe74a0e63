import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const source = fileURLToPath(new URL('../src', import.meta.url));
const read = (path: string) => readFileSync(`${source}/${path}`, 'utf8');

/** What no program of an account calls by the SDK's methods. */
const NOT_FOR_PROGRAMS = [
  // For other systems: chat platforms, browsers that come back from a sign-in, whoever checks tokens or health.
  ...['channelWebhooksSlack', 'channelWebhooksWebhook', 'mcpLandingLanded', 'jwksPublicKeys', 'healthLive'],
  // Deprecated in favour of account.quotas().
  'accountsQuota',
];

/** By their paths, which the generated functions would encode as one name, and as streams. */
const BY_PATH =
  /^(events|files|archive)[A-Z]|^runsEvents$|^healthReady$|^filesystem(List|ListRoot|MakeDirectory|DeleteDirectory|Metadata|ChangeMetadata)$/;

it('reaches every operation of the API', () => {
  const operations = [...read('generated/sdk.gen.ts').matchAll(/^export const (\w+) = /gm)].map(
    ([, name = '']) => name,
  );
  const facade = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('generated'))
    .map(read)
    .join('\n');
  const missing = operations.filter(
    (name) => !NOT_FOR_PROGRAMS.includes(name) && !BY_PATH.test(name) && !new RegExp(`\\b${name}\\(`).test(facade),
  );
  expect(operations.length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});
