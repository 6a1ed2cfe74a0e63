import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { abuse } from './abuse.js';
import { hostFiles } from './host-files.js';
import { kernel } from './kernel.js';
import { memory } from './memory.js';
import { network } from './network.js';
import { output } from './output.js';
import type { Probe, ProbeGroup, ProbeFixture } from './probe.js';
import { processes } from './processes.js';

const timeoutMs = 30_000;
const atOnce = 4;

export const probeGroups: ProbeGroup[] = [hostFiles, kernel, processes, memory, output, network, abuse];

export interface ProbeResult {
  group: string;
  name: string;
  /** Without a sandbox. A probe that does not succeed there proves nothing. */
  isPossible: boolean;
  /** In the sandbox. */
  hasPassed: boolean;
}

export interface ProbeRun {
  fixture: ProbeFixture;
  groups?: ProbeGroup[];
  /** Runs a shell command where an agent's commands run; its standard output. Any driver's sandbox will do. */
  runInSandbox(command: string, timeoutMs: number): Promise<string>;
}

/**
 * Tries every probe without a sandbox, as root with private mounts, and in the sandbox. The calling
 * process must be root, and its own environment the one that sandboxes must not see.
 */
export async function runProbes({ fixture, groups = probeGroups, runInSandbox }: ProbeRun): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (const { name: group, probes, isAlone } of groups) {
    const width = isAlone ? 1 : atOnce;
    for (let at = 0; at < probes.length; at += width) {
      const tried = probes.slice(at, at + width).map(async (probe): Promise<ProbeResult> => {
        const command = wrapped(probe.command(fixture));
        const [unsandboxed, sandboxed] = await Promise.all([
          runUnsandboxed(probe, fixture),
          runInSandbox(command, timeoutMs),
        ]);
        return { group, name: probe.name, isPossible: isEscape(unsandboxed), hasPassed: isEscape(sandboxed) };
      });
      results.push(...(await Promise.all(tried)));
      if (isAlone) await runInSandbox('rm -rf p-*', timeoutMs);
    }
  }
  return results;
}

/** Those that passed, without the ones that are known to be `harmless` where they ran. */
export function passed(results: ProbeResult[], harmless: Readonly<Record<string, string>> = {}): ProbeResult[] {
  return results.filter(({ hasPassed, name }) => hasPassed && !(name in harmless));
}

/** The table of a run: per group, and what passed by name; `harmless` gives by name why a probe proves nothing there. */
export function probeTable(results: ProbeResult[], harmless: Readonly<Record<string, string>> = {}): string {
  const groups = [...new Set(results.map(({ group }) => group))];
  const row = (name: string, of: ProbeResult[]) =>
    [
      name.padEnd(42),
      String(of.length).padStart(9),
      String(of.filter(({ isPossible }) => isPossible).length).padStart(22),
      String(passed(of, harmless).length).padStart(17),
    ].join(' ');
  const names = (title: string, of: ProbeResult[]) =>
    of.length > 0 ? [`${title}: ${of.map(({ name }) => name).join(', ')}`] : [];
  return [
    `${''.padEnd(42)} attempted succeeded unsandboxed passed sandboxed`,
    ...groups.map((group) =>
      row(
        group,
        results.filter((result) => result.group === group),
      ),
    ),
    row('all', results),
    ...names(
      'not counted here',
      results.filter(({ isPossible }) => !isPossible),
    ),
    ...results
      .filter(({ name, hasPassed }) => hasPassed && name in harmless)
      .map(({ name }) => `answered, and harmless here: ${name} (${harmless[name]})`),
    ...names('PASSED', passed(results, harmless)),
  ].join('\n');
}

function isEscape(output: string): boolean {
  return output.split('\n').includes('ESCAPED');
}

/** In a subshell, so that a command that ends its shell ends that one. */
function wrapped(command: string): string {
  return `(${command}\n) 2> /dev/null`;
}

async function runUnsandboxed({ command, setup, ownNetwork }: Probe, fixture: ProbeFixture): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'roost-unsandboxed-'));
  const shell = `${setup ? setup(fixture) : ':'}\n/bin/bash -c "$1"\n:`;
  const args = [
    '--mount',
    '--uts',
    ...(ownNetwork ? ['--net'] : []),
    '--propagation=private',
    '--kill-child',
    '--fork',
  ];
  try {
    return await new Promise((resolve) => {
      const running = execFile(
        'unshare',
        [...args, '--', '/bin/bash', '-c', shell, 'unsandboxed', wrapped(command(fixture))],
        {
          cwd: folder,
          env: { ...process.env, HOLD: '0' },
          timeout: timeoutMs,
          killSignal: 'SIGKILL',
          maxBuffer: 1024 * 1024,
        },
        (_, stdout) => resolve(stdout),
      );
      running.stdin?.end();
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
