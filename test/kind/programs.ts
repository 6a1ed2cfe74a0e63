import { spawn } from 'node:child_process';

export interface RunOptions {
  input?: string;
  timeoutMs?: number;
  env?: NodeJS.ProcessEnv;
}
/** Runs a program to its end; its output. Errors: what it said, when it fails or takes too long. */
export type Run = (program: string, args: string[], options?: RunOptions) => Promise<string>;

export const run: Run = (program, args, { input = '', timeoutMs = 600_000, env = process.env } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'pipe', timeout: timeoutMs });
    let [output, complaints] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-4_000)));
    child.once('error', reject);
    // It may end before it has read everything; its exit code says more.
    child.stdin.on('error', () => undefined).end(input);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output.slice(-2_000)}${complaints}`));
    });
  });

export type ClusterKind = 'kind' | 'k3d';

export interface Found {
  kind: ClusterKind;
}

const needed: [program: string, args: string[], where: string][] = [
  ['docker', ['info'], 'a Docker that runs: https://docs.docker.com/engine/install/'],
  ['kubectl', ['version', '--client'], 'kubectl: https://kubernetes.io/docs/tasks/tools/'],
];
const clusters: [ClusterKind, string[]][] = [
  ['kind', ['version']],
  ['k3d', ['version']],
];

/** What makes the cluster, and what is missing on this machine in words for its owner. */
export async function findPrograms(wanted: ClusterKind | undefined): Promise<Found | { missing: string[] }> {
  const has = (program: string, args: string[]) =>
    run(program, args, { timeoutMs: 20_000 }).then(
      () => true,
      () => false,
    );
  const missing: string[] = [];
  for (const [program, args, where] of needed) if (!(await has(program, args))) missing.push(where);
  for (const [kind, args] of clusters) {
    if ((wanted === undefined || wanted === kind) && (await has(kind, args))) {
      return missing.length > 0 ? { missing } : { kind };
    }
  }
  const makers = { kind: 'kind 0.24 or later: https://kind.sigs.k8s.io', k3d: 'k3d: https://k3d.io' };
  missing.push(wanted ? makers[wanted] : `${makers.kind}, or ${makers.k3d}`);
  return { missing };
}
