import { services } from '#tools/launcher';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Compose gives a container every setting; what nobody has set is blank there. */
describe('settings that are blank', () => {
  const compose = readFileSync(`${root}docker-compose.yml`, 'utf8');
  const names = [...compose.matchAll(/\$\{(\w+):-\}/g)].map(([, name]) => name!);

  it('are many', () => expect(names.length).toBeGreaterThan(50));

  it('let every service load', () => {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, ...Object.fromEntries(names.map((blank, index) => [blank, index % 2 ? '' : ' '])) };
    const imports = services.map(({ name }) => `await import('#app/${name}');`);
    const program = [...imports, 'process.exit(0);'].join('\n');
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, env });
    expect(stderr.toString()).toBe('');
    expect(status).toBe(0);
  });
});
