import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { type readProcess, RoostError, type startProcess, type writeProcess } from '#lib/contracts';
import type { z } from 'zod';
import { type CommandLimits, limited, shell } from '../exec/limits.js';
import { RUN_MARK, signalRun } from '../exec/process-tree.js';

const maxProcesses = 16;
const maxPart = 256 * 1024;
/** Above this the program is not read from until its output was fetched. */
const highWater = 1024 * 1024;
const waitMs = 20_000;
const unreadMs = 120_000;
const killGraceMs = 2_000;
const stderrChars = 2_000;

type Input<C extends { input: z.ZodType }> = z.output<C['input']>;

interface Running {
  child: ChildProcessWithoutNullStreams;
  output: Buffer;
  /** How many bytes of output lie before `output`. */
  start: number;
  received: number;
  stderr: string;
  ended: { exitCode: number | null } | undefined;
  wake: () => void;
  readAt: number;
}

/** Programs that run beside commands and are talked to over their standard streams. */
export class Processes {
  private readonly running = new Map<string, Running>();

  constructor(
    private readonly workingDirectory: string,
    private readonly env: Record<string, string>,
    private readonly limits: CommandLimits,
  ) {
    setInterval(() => this.endUnread(), 10_000).unref();
  }

  get count(): number {
    return this.running.size;
  }

  stopAll(): void {
    for (const processId of [...this.running.keys()]) this.stop(processId);
  }

  start({ processId, command, args, env }: Input<typeof startProcess>): { started: boolean } {
    if (this.running.has(processId)) throw new RoostError('CONFLICT', 'a process with this process_id is running');
    if (this.running.size >= maxProcesses)
      throw new RoostError('RATE_LIMITED', `at most ${maxProcesses} processes run at once`, [], 1);
    const child = spawn(shell(), limited(this.limits, command, args), {
      cwd: this.workingDirectory,
      env: { ...this.env, ...env, [RUN_MARK]: processId },
      stdio: 'pipe',
      detached: true,
    });
    const process: Running = {
      child,
      output: Buffer.alloc(0),
      start: 0,
      received: 0,
      stderr: '',
      ended: undefined,
      wake: () => undefined,
      readAt: Date.now(),
    };
    child.stdout.on('data', (chunk: Buffer) => {
      process.output = Buffer.concat([process.output, chunk]);
      if (process.output.length > highWater) child.stdout.pause();
      process.wake();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      process.stderr = (process.stderr + chunk.toString()).slice(-stderrChars);
    });
    // A program that ended between two writes: its end is reported by the next read.
    child.stdin.on('error', () => undefined);
    const end = (exitCode: number | null) => {
      process.ended ??= { exitCode };
      process.wake();
    };
    child.once('error', (error) => {
      process.stderr += error.message;
      end(null);
    });
    child.once('close', end);
    this.running.set(processId, process);
    return { started: true };
  }

  write({ processId, at, data }: Input<typeof writeProcess>): { written: number } {
    const process = this.get(processId);
    const bytes = Buffer.from(data, 'base64');
    if (at > process.received) throw new RoostError('CONFLICT', 'bytes before these are missing');
    const fresh = bytes.subarray(process.received - at);
    process.received += fresh.length;
    if (fresh.length > 0) process.child.stdin.write(fresh);
    return { written: process.received };
  }

  async read({ processId, from }: Input<typeof readProcess>): Promise<z.output<typeof readProcess.output>> {
    const process = this.get(processId);
    process.readAt = Date.now();
    process.output = process.output.subarray(Math.min(Math.max(0, from - process.start), process.output.length));
    process.start = Math.max(process.start, from);
    if (process.output.length < highWater) process.child.stdout.resume();
    if (process.output.length === 0 && !process.ended) await this.untilSome(process);
    const part = process.output.subarray(0, maxPart);
    const hasEnded = process.ended !== undefined && part.length === process.output.length;
    if (hasEnded && part.length === 0) this.running.delete(processId);
    return {
      data: part.toString('base64'),
      hasEnded,
      exitCode: process.ended?.exitCode ?? null,
      stderrTail: hasEnded ? process.stderr : '',
    };
  }

  stop(processId: string): { stopped: boolean; stderrTail: string } {
    const process = this.running.get(processId);
    if (!process) return { stopped: false, stderrTail: '' };
    this.running.delete(processId);
    const { pid } = process.child;
    if (pid !== undefined && !process.ended) {
      signalRun(pid, processId, 'SIGTERM');
      setTimeout(() => signalRun(pid, processId, 'SIGKILL'), killGraceMs);
    }
    return { stopped: true, stderrTail: process.stderr };
  }

  private get(processId: string): Running {
    const process = this.running.get(processId);
    if (!process) throw new RoostError('NOT_FOUND', 'there is no such process');
    return process;
  }

  private untilSome(process: Running): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      process.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private endUnread(): void {
    for (const [processId, { readAt }] of this.running) if (Date.now() - readAt > unreadMs) this.stop(processId);
  }
}
