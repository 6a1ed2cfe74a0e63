import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { limitsOf } from '../limits.js';
import { hostSystem } from './host-system.js';
import { type Runsc, runscCommand } from './runsc.js';
import { AGENT_UID, type NoRuntime } from './runtime.js';

/** In the order of preference. A release knows only some of them, and a host can do only some of those. */
const platforms = ['systrap', 'ptrace', 'kvm'];
const trialTimeoutMs = 10_000;
const nobody = 65_534;

/**
 * Finds out whether runsc runs here, and how, by running a small guest as a workspace is run. Errors are returned
 * as `whyNot`: who asked for gVisor gets nothing less.
 */
export async function findRunsc(path: string): Promise<Runsc | NoRuntime> {
  const instead = 'or unset ROOST_LOCAL_RUNTIME';
  if (process.getuid?.() !== 0) return { whyNot: `gVisor needs Roost to run as root: start it as root, ${instead}` };
  const failures: string[] = [];
  for (const platform of platforms) {
    const { output, reason } = await tryGuest(path, platform);
    if (output.includes('runs')) return { path, platform, warnings: output.includes('lists') ? [] : [oldRelease] };
    if (reason.endsWith(`${path}: not found`))
      return { whyNot: `runsc is not installed: install gVisor and start Roost again, ${instead}` };
    failures.push(`${platform}: ${reason}`);
  }
  return { whyNot: `runsc cannot run a sandbox here (${failures.join('; ')}): mend this, ${instead}` };
}

const oldRelease =
  'this release of gVisor lacks what the programs of this system need (ls and stat fail in workspaces): install a newer one';

/** What newer programs ask of the kernel is asked too. */
const guestScript = `set -e
test "$(id -u)" = 1000
echo x > /workspace/x
echo runs
if ls -l / > /dev/null; then echo lists; fi`;

async function tryGuest(path: string, platform: string): Promise<{ output: string; reason: string }> {
  const volume = mkdtempSync(join(tmpdir(), 'roost-runsc-'));
  chownSync(volume, nobody, nobody);
  const { file, args } = runscCommand(
    { path, platform },
    {
      name: `roost-trial-${process.pid}`,
      shown: hostSystem(),
      volume,
      hostUid: nobody,
      limits: limitsOf({ volumeBytes: 2 ** 20 }),
      cgroups: [],
      environment: { PATH: '/usr/bin:/bin' },
      args: ['setpriv', `--reuid=${AGENT_UID}`, `--regid=${AGENT_UID}`, '--clear-groups', '/bin/sh', '-c', guestScript],
    },
  );
  try {
    const child = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      timeout: trialTimeoutMs,
      killSignal: 'SIGKILL',
    });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) =>
        resolve(signal ? `no answer in ${trialTimeoutMs / 1_000} s` : `exit code ${code}`),
      );
    });
    const [output, errors, end] = await Promise.all([
      text(child.stdio[3] as Readable),
      text(child.stderr as Readable),
      ended,
    ]);
    return { output, reason: `${errors.trim().split('\n').at(-1) || end}`.slice(0, 300) };
  } finally {
    rmSync(volume, { recursive: true, force: true });
  }
}
