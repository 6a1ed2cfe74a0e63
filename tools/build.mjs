/**
 * Builds Roost into dist/: SWC for every folder, esbuild for the workspace daemon and the packages that are published,
 * Vite for the dashboard.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildDashboard } from './build-dashboard.mjs';
import { buildPackages } from './build-packages.mjs';
import { bundle } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
/** For what packages and dashboard are made from: they do not build before it is there. */
const isServicesOnly = process.argv.includes('--services');

// The types of the SDK take as long as all the rest, beside which they are made. They are checked by `npm run lint`.
await Promise.all([
  run('node_modules/@swc/cli/bin/swc.js', [
    ...['apps', 'libs', 'tools', 'bench', 'test'],
    ...['-d', 'dist'],
    ...['--config-file', '.swcrc'],
    ...['--ignore', '**/*.spec.ts,apps/dashboard/**'],
    ...['--extensions', '.ts'],
    '--quiet',
  ]),
  ...(isServicesOnly ? [] : [run('node_modules/typescript/bin/tsc', ['-p', 'packages/sdk']), buildDashboard()]),
]);

// Read at the gateway's start, from beside the code.
const examples = 'apps/gateway/src/openapi/examples.json';
cpSync(`${root}${examples}`, `${root}dist/${examples}`);
await bundle('apps/workspace/src/main.ts', `${root}dist/workspace-daemon.cjs`);
await bundle('apps/egress-proxy/src/main.ts', `${root}dist/egress-proxy.mjs`);
if (!isServicesOnly) await buildPackages();

async function run(program, args) {
  const child = spawn(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exit(code ?? 1);
}
