import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Why no network of its own can be made here, or undefined when one can. */
export function closedProcessProblem(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  const [program = '', ...words] = inside(['true']);
  const probe = spawnSync(program, words, { encoding: 'utf8' });
  if (probe.error) return `"${program}" cannot be started: ${probe.error.message}`;
  return probe.status === 0 ? undefined : `no network namespace can be made: ${probe.stderr.trim()}`;
}

/**
 * As `fork`, in a network that holds a loopback and nothing else: whatever the program and its children send anywhere
 * does not leave. Errors: a sentence when this machine or its rights do not permit that; nothing was started then.
 */
export function forkClosed(program: string, args: readonly string[]): ChildProcess {
  const problem = closedProcessProblem();
  if (problem) throw new Error(`this runs only in a network of its own: ${problem}`);
  const [command = '', ...words] = inside([process.execPath, program, ...args]);
  return spawn(command, words, { stdio: ['ignore', process.stderr, process.stderr, 'ipc'] });
}

/** Throws, saying why, when this process can see any network but its loopback. */
export function requireClosedNetwork(): void {
  const names = [...readFileSync('/proc/self/net/dev', 'utf8').matchAll(/^\s*(\S+):/gm)].map(([, name = '']) => name);
  const foreign = names.filter((name) => name !== 'lo');
  if (foreign.length > 0)
    throw new Error(`the peer is started only without a network, and here is ${foreign.join(', ')}`);
}

/** Whoever is not root is root long enough to switch the loopback on, and then itself again: Roost's servers mind. */
function inside(command: string[]): string[] {
  const uid = process.getuid?.() ?? 0;
  const begin = ['sh', '-c', 'ip link set lo up && exec "$@"', 'closed'];
  if (uid === 0) return ['unshare', '--net', ...begin, ...command];
  const itself = ['unshare', '--user', `--map-user=${uid}`, `--map-group=${process.getgid?.() ?? uid}`];
  return ['unshare', '--user', '--map-root-user', '--net', ...begin, ...itself, ...command];
}
