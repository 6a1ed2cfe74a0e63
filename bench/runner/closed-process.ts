import { type ChildProcess, spawn } from 'node:child_process';
import { interfaceNames } from '../../test/closed-network/interfaces.js';
import { namespaceProblem } from '../../test/closed-network/run-closed.js';

/**
 * As `fork`, in a network that holds a loopback and nothing else: whatever the program and its children send anywhere
 * does not leave. Errors: a sentence when this machine or its rights do not permit that; nothing was started then.
 */
export function forkClosed(program: string, args: readonly string[]): ChildProcess {
  const problem = namespaceProblem(inside(['true']));
  if (problem) throw new Error(`this runs only in a network of its own: ${problem}`);
  return spawn('unshare', inside([process.execPath, program, ...args]), {
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
}

/** Throws, saying why, when this process can see any network but its loopback. */
export function requireClosedNetwork(): void {
  const foreign = interfaceNames().filter((name) => name !== 'lo');
  if (foreign.length > 0)
    throw new Error(`LangGraph is started only without a network, and here is ${foreign.join(', ')}`);
}

/** The arguments of `unshare`. Whoever is not root is root long enough to switch the loopback on, and then itself again: Roost's servers mind. */
function inside(command: string[]): string[] {
  const uid = process.getuid?.() ?? 0;
  const begin = ['sh', '-c', 'ip link set lo up && exec "$@"', 'closed'];
  if (uid === 0) return ['--net', ...begin, ...command];
  const itself = ['unshare', '--user', `--map-user=${uid}`, `--map-group=${process.getgid?.() ?? uid}`];
  return ['--user', '--map-root-user', '--net', ...begin, ...itself, ...command];
}
