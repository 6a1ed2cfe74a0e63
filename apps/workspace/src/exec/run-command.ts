import { spawn, type ChildProcess } from 'node:child_process';
import { type execCommand as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { type CommandLimits, limited, shell } from './limits.js';
import { isRunAlive, RUN_MARK, signalRun } from './process-tree.js';

type Input = z.output<typeof contract.input>;
type Output = z.output<typeof contract.output>;

const killGraceMs = 2_000;
const drainMs = 200;
const maxRuns = 64;

interface Run {
  leader: number;
  isCancelled: boolean;
  /** Why it was ended, when not by its caller. */
  remark: string;
  end(): void;
}

/** Runs commands and knows those that are running. */
export class Commands {
  private readonly runs = new Map<string, Run>();

  constructor(
    private readonly workingDirectory: string,
    private readonly env: Record<string, string>,
    private readonly limits: CommandLimits,
  ) {}

  get count(): number {
    return this.runs.size;
  }

  /**
   * Runs a shell command to its end. When the shell has ended, what it left in the background goes on running; when
   * the run is cancelled or its time is over, everything it started gets SIGTERM, and SIGKILL two seconds later. With a
   * `traceparent` the command learns its trace.
   */
  async run({ execId, command, timeoutMs, maxOutputBytes }: Input, traceparent?: string): Promise<Output> {
    if (this.runs.has(execId)) throw new RoostError('CONFLICT', 'a command with this exec_id is running');
    if (this.runs.size >= maxRuns)
      throw new RoostError('RATE_LIMITED', `at most ${maxRuns} commands run at once`, [], 1);
    const startedAt = performance.now();
    const child = spawn(shell(), limited(this.limits, shell(), ['-c', command]), {
      cwd: this.workingDirectory,
      env: { ...this.env, [RUN_MARK]: execId, ...(traceparent ? traceEnvironment(this.env, traceparent) : {}) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const stdout = new CappedOutput(maxOutputBytes);
    const stderr = new CappedOutput(maxOutputBytes);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));

    let hasTimedOut = false;
    let killer: NodeJS.Timeout | undefined;
    const end = () => {
      if (child.pid === undefined || killer) return;
      const leader = child.pid;
      signalRun(leader, execId, 'SIGTERM');
      killer = setTimeout(() => signalRun(leader, execId, 'SIGKILL'), killGraceMs);
    };
    const run: Run = { leader: child.pid ?? 0, isCancelled: false, remark: '', end };
    this.runs.set(execId, run);
    const timer = setTimeout(
      () => {
        hasTimedOut = true;
        end();
      },
      Math.min(timeoutMs, 2 ** 31 - 1),
    );

    try {
      const { code, signal } = await exitOf(child);
      if (killer) await untilGone(run.leader, execId);
      await drained(child);
      return {
        exitCode: code,
        signal,
        stdout: stdout.text(),
        stderr: stderr.text() + run.remark,
        timedOut: hasTimedOut,
        cancelled: run.isCancelled,
        durationMs: Math.round(performance.now() - startedAt),
      };
    } finally {
      clearTimeout(timer);
      clearTimeout(killer);
      this.runs.delete(execId);
    }
  }

  /** Ends every run; each one's standard error holds the reason. */
  endAll(why: string): void {
    for (const run of this.runs.values()) {
      run.remark = `\nRoost: ${why}\n`;
      run.end();
    }
  }

  /** Ends a run. Returns whether there was one. */
  cancel(execId: string): boolean {
    const run = this.runs.get(execId);
    if (!run) return false;
    run.isCancelled = true;
    run.end();
    return true;
  }
}

const PROXY_VARIABLES = ['HTTP_PROXY', 'http_proxy'];

/**
 * What tells a command its trace: the variable that OpenTelemetry has for it, and the user name that clients send to
 * the proxy with plain HTTP requests, which puts it on them.
 */
function traceEnvironment(env: Record<string, string>, traceparent: string): Record<string, string> {
  const proxies = PROXY_VARIABLES.flatMap((name) => {
    const proxy = env[name];
    return proxy === undefined ? [] : [[name, proxy.replace('://', `://${traceparent}@`)] as const];
  });
  return { TRACEPARENT: traceparent, ...Object.fromEntries(proxies) };
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) =>
      reject(new RoostError('AGENT_UNAVAILABLE', `the command could not be started: ${error.message}`)),
    );
  });
}

/** A background process may hold the pipes open for ever: what is in them when the shell ends is the output. */
async function drained(child: ChildProcess): Promise<void> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const isOver = child.stdout?.closed && child.stderr?.closed;
  if (!isOver) await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, drainMs))]);
  child.stdout?.destroy();
  child.stderr?.destroy();
}

async function untilGone(leader: number, mark: string): Promise<void> {
  for (const deadline = Date.now() + killGraceMs * 2; Date.now() < deadline && isRunAlive(leader, mark);) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    if (Date.now() > deadline - killGraceMs) signalRun(leader, mark, 'SIGKILL');
  }
}

/**
 * Keeps the head and the tail of a command's output within a limit: the head shows what ran, the tail how it ended.
 * Memory stays bounded whatever the command prints.
 */
class CappedOutput {
  private head: Buffer[] = [];
  private headBytes = 0;
  private tail: Buffer[] = [];
  private tailBytes = 0;
  private total = 0;
  private readonly half: number;

  constructor(maxBytes: number) {
    this.half = Math.max(1, Math.floor(maxBytes / 2));
  }

  push(chunk: Buffer): void {
    this.total += chunk.length;
    const toHead = Math.min(chunk.length, this.half - this.headBytes);
    if (toHead > 0) {
      this.head.push(chunk.subarray(0, toHead));
      this.headBytes += toHead;
    }
    const rest = chunk.subarray(Math.max(0, toHead));
    if (rest.length === 0) return;
    this.tail.push(rest);
    this.tailBytes += rest.length;
    if (this.tailBytes > this.half * 2) this.trim();
  }

  /** The text; where bytes were left out a line counts them. Bytes that are not UTF-8 become U+FFFD. */
  text(): string {
    this.trim();
    const head = Buffer.concat(this.head);
    const tail = Buffer.concat(this.tail);
    const omitted = this.total - head.length - tail.length;
    if (omitted === 0) return Buffer.concat([head, tail]).toString('utf8');
    return `${head.toString('utf8')}\n[… ${omitted} bytes left out …]\n${tail.toString('utf8')}`;
  }

  private trim(): void {
    if (this.tailBytes <= this.half) return;
    // Copied, so that one small view does not keep a large chunk alive.
    const kept = Buffer.from(Buffer.concat(this.tail).subarray(-this.half));
    this.tail = [kept];
    this.tailBytes = kept.length;
  }
}
