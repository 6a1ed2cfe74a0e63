#!/usr/bin/env node
/** `npx roost` in a clone: builds what is missing, then runs the command line in this process. Plain JavaScript for Node 20. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const built = `${root}dist/packages/cli/index.js`;

if (!existsSync(built)) {
  const { status } = spawnSync(`${root}tools/node`, [`${root}tools/ensure-built.mjs`], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
await import(built);
