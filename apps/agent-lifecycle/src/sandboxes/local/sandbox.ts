import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { SandboxOutput } from '../sandbox-output.js';
import type { SandboxCommand } from './runtime.js';

const [CONNECTION_FD, SECCOMP_FD] = [3, 4];

const stopGraceMs = 1_000;

/** One running sandbox: its runtime, in it the daemon, in it whatever the agent runs. */
export class Sandbox {
  /** Resolves when every process of the sandbox is gone, with the reason. */
  readonly ended: Promise<string>;
  /** The daemon's connection to us. */
  readonly stream: Duplex;
  hasEnded = false;
  private readonly child: ChildProcess;

  constructor(command: SandboxCommand, config: unknown, onLog: (line: string) => void) {
    const { seccomp } = command;
    this.child = spawn(command.file, command.args, {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe', seccomp ? 'pipe' : 'ignore'],
      env: { PATH: process.env.PATH ?? '' },
      detached: true,
    });
    this.stream = this.child.stdio[CONNECTION_FD] as Duplex;
    this.stream.on('error', () => undefined); // the sandbox ended; its exit is what counts
    this.child.stdin?.on('error', () => undefined); // it ended before it read: `ended` resolves with the reason
    if (command.configuration === 'first line') {
      this.child.stdin?.end();
      this.stream.write(`${JSON.stringify(config)}\n`);
    } else this.child.stdin?.end(JSON.stringify(config));
    const filter = this.child.stdio[SECCOMP_FD];
    if (seccomp && filter && 'end' in filter) {
      filter.on('error', () => undefined);
      filter.end(seccomp);
    }
    const output = new SandboxOutput(onLog);
    if (this.child.stderr) output.follow(this.child.stderr);
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) =>
        resolve(`${output.lastLine || 'no message'} (${signal ?? `exit code ${code ?? 'unknown'}`})`),
      );
    }).then((reason) => {
      this.hasEnded = true;
      this.stream.destroy();
      return String(reason);
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Ends everything in the sandbox; resolves when it is gone. Killing its first process makes the kernel end the rest. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    this.stream.destroy(); // the daemon ends when its connection does
    const timer = setTimeout(() => this.child.kill('SIGKILL'), stopGraceMs);
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    if (!this.hasEnded) this.child.kill('SIGKILL');
  }
}
