import { type ChildProcess, execFileSync } from 'node:child_process';
import { setPriority } from 'node:os';
import { endProcess } from './process-identity.js';

export interface SupervisedOptions {
  name: string;
  /** Starts the process; called again after each unexpected end. */
  spawn(): ChildProcess;
  /** Resolves when the process serves. Given up when it ends first. */
  whenReady(child: ChildProcess): Promise<void>;
  /** Why it did not start, for the user. */
  describeFailure(): string;
  /** Sent in order, `stopGraceMs` apart, to stop it. */
  stopSignals: NodeJS.Signals[];
  stopGraceMs: number;
  log(line: string): void;
}

export interface SupervisedProcess {
  readonly pid: number | undefined;
  /** Ends the process and stays ended. */
  stop(): Promise<void>;
  /** Ends it at once with its last stop signal, without waiting: for a second Ctrl-C and for process exit. */
  kill(): void;
}

const firstBackoffMs = 200;
const maxBackoffMs = 5_000;
const serverNiceness = 5;
/** What served for so long did not fail at its start: it is back at once. */
const settledMs = 10_000;

/** Whoever ends this process without stopping the supervised ones must not leave them behind. */
const killAtExit = new Set<() => void>();
process.once('exit', () => killAtExit.forEach((kill) => kill()));

/** Whether a child has neither ended nor failed to start. */
export function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/**
 * The servers' many processes wait for the one thread that runs the services, and each finished request is work for it:
 * on a full machine it must not queue behind them. Commands of agents come after both. As batch processes (Linux) they
 * also never take a core from it in the moment it wakes them: a tenth more turns. What a server starts later inherits both.
 */
function yieldToServices({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, serverNiceness);
    if (process.platform === 'linux') execFileSync('chrt', ['--batch', '--pid', '0', `${pid}`], { stdio: 'ignore' });
  } catch {
    // It ended at once, which is told by whoever waits for it to be ready, or there is no chrt: it serves all the same.
  }
}

/** Starts a process and keeps it running: when it dies it is started again, 0.2 s to 5 s later. */
export async function supervise(options: SupervisedOptions): Promise<SupervisedProcess> {
  let child: ChildProcess | undefined;
  let isStopping = false;
  let restart: NodeJS.Timeout | undefined;
  let backoffMs = firstBackoffMs;

  async function run(): Promise<void> {
    const started = options.spawn();
    child = started;
    yieldToServices(started);
    const startedAt = Date.now();
    const ended = new Promise<string>((resolve) => {
      started.once('error', (error) => resolve(error.message));
      started.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 'unknown'}`));
    });
    const isReady = await Promise.race([options.whenReady(started).then(() => true), ended.then(() => false)]);
    if (!isReady) {
      child = undefined;
      throw new Error(`${options.name} did not start (${await ended}). ${options.describeFailure()}`.trim());
    }
    void ended.then((reason) => {
      child = undefined;
      if (isStopping) return;
      if (Date.now() - startedAt > settledMs) backoffMs = firstBackoffMs;
      options.log(`${options.name} ended (${reason}); starting it again`);
      scheduleRestart();
    });
  }

  function scheduleRestart(): void {
    restart = setTimeout(() => {
      run().then(
        () => options.log(`${options.name} runs again`),
        (error: unknown) => {
          if (isStopping) return;
          options.log(error instanceof Error ? error.message : String(error));
          scheduleRestart();
        },
      );
    }, backoffMs);
    backoffMs = Math.min(backoffMs * 2, maxBackoffMs);
  }

  const kill = () => {
    isStopping = true;
    clearTimeout(restart);
    child?.kill(options.stopSignals.at(-1));
  };
  killAtExit.add(kill);

  try {
    await run();
  } catch (error) {
    killAtExit.delete(kill);
    throw error;
  }

  return {
    get pid() {
      return child?.pid;
    },
    async stop() {
      isStopping = true;
      clearTimeout(restart);
      if (child?.pid !== undefined) await endProcess(child.pid, options.stopSignals, options.stopGraceMs);
      // Its exit event may still be on its way: whoever asks now must not be told of a process that is gone.
      child = undefined;
      killAtExit.delete(kill);
    },
    kill,
  };
}
