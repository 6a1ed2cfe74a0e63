import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CliError, EXIT } from '../failure.js';

/** The clone of Roost that this program was built in; undefined where it was installed by itself. */
export function cloneOf(): string | undefined {
  // dist/packages/cli/index.js
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  return existsSync(`${root}tools/start.mjs`) ? root : undefined;
}

/** Runs a program of the clone as if it had been started itself; resolves with its exit code. Errors: CliError. */
export async function runOfClone(script: string, args: readonly string[], what: string): Promise<number> {
  const root = cloneOf();
  if (root === undefined)
    throw new CliError(
      `${what} works in a clone of Roost: there, npx roost …; this roost was installed by itself`,
      EXIT.usage,
    );
  const child = spawn(`${root}tools/node`, [`${root}${script}`, ...args], { stdio: 'inherit' });
  // Ctrl-C reaches both from the terminal, and it is the program that ends in its own time.
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGINT', ignore);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, pass);
  return code ?? EXIT.failed;
}
