import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The name server's address in there. */
export const NAME_SERVER = '9.9.9.53';

const userNamespace = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];

/** Why no closed network can be made here, or undefined when one can. */
export function closedNetworkProblem(): string | undefined {
  const link = ['ip', 'link', 'add', 'probe0', 'type', 'veth', 'peer', 'name', 'probe1'];
  return namespaceProblem([...userNamespace, '--net', '--mount', ...link]);
}

/** Why `unshare` cannot do this here, the making of a network included, or undefined when it can. */
export function namespaceProblem(unshareArguments: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  const probe = spawnSync('unshare', unshareArguments, { encoding: 'utf8' });
  if (probe.error) return `"unshare" cannot be started: ${probe.error.message}`;
  return probe.status === 0 ? undefined : `no network namespace can be made: ${probe.stderr.trim()}`;
}

export interface ClosedRun {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a built program of `test/` (path relative to this folder, ending in .js) in a network of its own, with the
 * resolver's files replaced. The whole tree of processes ends with it.
 */
export async function runClosed(
  program: string,
  { args = [], env = {}, onLine, timeoutMs }: RunOptions,
): Promise<ClosedRun> {
  const folder = mkdtempSync(join(tmpdir(), 'roost-closed-'));
  try {
    // In there no process of outside is to be seen: what looks for remains of dead ones must not find the living's.
    const temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    for (const path of [folder, temporary]) chmodSync(path, 0o711);
    writeFileSync(join(folder, 'resolv.conf'), `nameserver ${NAME_SERVER}\noptions timeout:2 attempts:2\n`);
    writeFileSync(
      join(folder, 'nsswitch.conf'),
      `${withoutHosts(readFileSync('/etc/nsswitch.conf', 'utf8'))}hosts: files dns\n`,
    );
    const child = spawn(
      'unshare',
      [
        ...userNamespace,
        ...['--net', '--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '--mount-proc'],
        ...['/bin/sh', '-c', insideScript, 'roost-closed', folder],
        ...[process.execPath, fileURLToPath(new URL(program, programs)), ...args],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env, NODE_OPTIONS: '', TMPDIR: temporary } },
    );
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const run: ClosedRun = { exitCode: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      run.stdout += text;
      onLine?.(text.trimEnd());
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (run.stderr += text));
    run.exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    clearTimeout(timer);
    return run;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface RunOptions {
  args?: string[];
  env?: Record<string, string>;
  onLine?: (text: string) => void;
  /** Then everything in there is killed. */
  timeoutMs: number;
}

/** The built programs. This file itself is run from `test/` by vitest and from `dist/test/` by node. */
const programs = new URL(import.meta.url.includes('/dist/test/') ? '../' : '../../dist/test/', import.meta.url);

function withoutHosts(text: string): string {
  return text.replaceAll(/^\s*hosts:.*\n?/gm, '').replace(/\n?$/, '\n');
}

// A resolver daemon would answer over its socket from outside the namespace: its folders are hidden.
const insideScript = `set -e
folder=$1; shift
mount --bind "$folder/resolv.conf" /etc/resolv.conf
mount --bind "$folder/nsswitch.conf" /etc/nsswitch.conf
for hidden in /run/nscd /run/systemd/resolve; do
  if [ -d "$hidden" ]; then mount -t tmpfs closed "$hidden"; fi
done
exec "$@"`;
