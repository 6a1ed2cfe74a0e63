import { spawn } from 'node:child_process';

export interface CommandOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  timeoutMs?: number;
  /** Shows the output as it comes. */
  isShown?: boolean;
}

/** Runs a program to its end; its output. Errors: what it printed last, when it fails. */
export function runCommand(file: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { env = process.env, cwd, timeoutMs = 600_000, isShown = false } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let output = '';
    let all = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      all = (all + chunk.toString()).slice(-4_000);
      if (isShown) process.stdout.write(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      all = (all + chunk.toString()).slice(-4_000);
      if (isShown) process.stderr.write(chunk);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${file} ${args.slice(0, 3).join(' ')} ended with ${code}:\n${all}`));
    });
  });
}

/** Whether a program can be started at all. */
export async function hasProgram(file: string, args = ['--version']): Promise<boolean> {
  return runCommand(file, args, { timeoutMs: 20_000 }).then(
    () => true,
    () => false,
  );
}

/** The docker program that can build with BuildKit: a newer one needs its plugin for that, Debian's has it within. */
export async function dockerProgram(): Promise<string> {
  if (await hasProgram('docker', ['buildx', 'version'])) return 'docker';
  return (await hasProgram('/usr/bin/docker')) ? '/usr/bin/docker' : 'docker';
}
