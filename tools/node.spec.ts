import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '#lib/testing';
import { expect, it } from 'vitest';

/** A `node` of a system: answers `--version` with it, and names itself when it is given a program. */
function systemNode(version: string): string {
  const path = join(temporaryFolder(), 'node');
  writeFileSync(
    path,
    `#!/bin/sh\n[ "$1" = --version ] && echo ${version} && exit\ncase "$1" in *ensure-dependencies.mjs) exit 0;; esac\necho "system: $*"\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

const run = (systemVersion: string, ...args: string[]) => {
  const env = { ...process.env, npm_node_execpath: systemNode(systemVersion) };
  const { stdout, stderr, status } = spawnSync('tools/node', args, { env, encoding: 'utf8' });
  return { output: stdout.trim(), error: stderr.trim(), status };
};

it('uses the Node of the system when it is 24 or newer, as it is', () => {
  for (const version of ['v24.0.0', 'v26.12.1', 'v100.1.0']) {
    expect(run(version, 'program.mjs', 'a b')).toMatchObject({ output: 'system: program.mjs a b', status: 0 });
  }
});

it('continues under the Node 24 of the packages when that of the system is older, with its exit code', () => {
  for (const version of ['v20.19.0', 'v22.11.0', 'v23.9.1']) {
    expect(run(version, '-p', 'process.versions.node')).toMatchObject({ output: expect.stringMatching(/^24\./) });
    expect(run(version, '-e', 'process.exit(7)')).toMatchObject({ status: 7 });
  }
});

it('says which Node it needs when that of the system cannot even install the packages', () => {
  for (const version of ['v18.20.0', 'v20.18.3']) {
    expect(run(version, 'program.mjs')).toMatchObject({
      error: `Roost needs Node.js 20.19 or newer to start; this is ${version.slice(1)}. See https://nodejs.org.`,
      status: 1,
    });
  }
});

it('is what the tests run on', () => {
  expect(Number.parseInt(process.versions.node)).toBeGreaterThanOrEqual(24);
});
