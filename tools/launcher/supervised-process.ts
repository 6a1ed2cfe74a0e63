import { type ChildProcess, execFileSync } from 'node:child_process';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { RoostError } from '#lib/contracts/errors';
import { endWithLauncher } from './end-with-launcher.js';
import { endProcess } from './process-identity.js';

export interface SupervisedOptions {
  name: string;
  /** Starts the process; called again after each unexpected end. */
  spawn(): ChildProcess;
  /** Resolves when the process serves. Given up when it ends first. */
  whenReady(child: ChildProcess): Promise<void>;
  /** Why it did not start, for the user. Asked once all it printed has arrived. */
  describeFailure(): string;
  /** Why it ended, where its exit code or signal does not say it all. Asked once all it printed has arrived. */
  describeEnd?(): string | undefined;
  /** Sent in order, `stopGraceMs` apart, to stop it. */
  stopSignals: NodeJS.Signals[];
  stopGraceMs: number;
  /** Sent to it when the launcher ends without stopping it, by kill -9 or a crash. */
  orphanSignal: NodeJS.Signals;
  /** Whether it stands back behind the services on a full machine; the services themselves do not. */
  isServer: boolean;
  log(line: string): void;
  /** Called once, when `maxFailedStarts` starts in a row have failed: it is not started again. */
  onGivenUp?(reason: Error): void;
  maxFailedStarts?: number;
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
/** Half a minute of tries. One that served at all is always started again, however soon it ends. */
const defaultMaxFailedStarts = 10;
const serverNiceness = 5;
/** What a process printed last may arrive after its end; a child of its own may hold its output open for longer. */
const lastWordsMs = 300;
/** What served for so long did not fail at its start: it is back at once. */
const stableMs = 10_000;

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
    // It ended at once, which is reported by whoever waits for it to be ready, or there is no chrt: it serves all the same.
  }
}

/**
 * Starts a process and keeps it running: when it dies it is started again, 0.2 s to 5 s later, until so many starts in a
 * row fail that trying on is of no use. Errors: what the first start fails with.
 */
export async function supervise(options: SupervisedOptions): Promise<SupervisedProcess> {
  let child: ChildProcess | undefined;
  let isStopping = false;
  let restart: NodeJS.Timeout | undefined;
  let backoffMs = firstBackoffMs;
  let failedStarts = 0;

  async function run(): Promise<void> {
    const started = options.spawn();
    child = started;
    if (options.isServer) yieldToServices(started);
    const forget = started.pid === undefined ? undefined : endWithLauncher(started.pid, options.orphanSignal);
    const startedAt = Date.now();
    const ended = new Promise<string>((resolve) => {
      started.once('error', (error) => resolve(error.message));
      started.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 'unknown'}`));
    });
    const closed = new Promise<void>((done) => started.once('close', () => done()));
    const lastWords = () => Promise.race([closed, sleep(lastWordsMs)]);
    void ended.then(() => {
      forget?.();
      if (child === started) child = undefined;
    });
    try {
      const isReady = await Promise.race([options.whenReady(started).then(() => true), ended.then(() => false)]);
      if (!isReady) {
        await lastWords();
        throw failure(`did not start (${await ended})`);
      }
    } catch (error) {
      // Alive and not ready in its time: a second one beside it would meet its port and its files.
      if (started.pid !== undefined) await endProcess(started.pid, options.stopSignals, options.stopGraceMs);
      throw error;
    }
    failedStarts = 0;
    void ended.then(async (reason) => {
      if (isStopping) return;
      if (Date.now() - startedAt > stableMs) backoffMs = firstBackoffMs;
      await lastWords();
      const why = options.describeEnd?.() ?? reason;
      if (isStopping) return;
      options.log(`${options.name} ended (${why}); starting it again`);
      scheduleRestart();
    });
  }

  const failure = (what: string) =>
    new RoostError('SERVICE_UNAVAILABLE', `${options.name} ${what}. ${options.describeFailure()}`.trim());

  function scheduleRestart(): void {
    restart = setTimeout(() => {
      run().then(
        () => options.log(`${options.name} runs again`),
        (error: unknown) => {
          if (isStopping) return;
          const message = error instanceof Error ? error.message : String(error);
          options.log(message);
          failedStarts += 1;
          if (failedStarts < (options.maxFailedStarts ?? defaultMaxFailedStarts)) return scheduleRestart();
          isStopping = true;
          options.onGivenUp?.(
            new RoostError('SERVICE_UNAVAILABLE', `${options.name} failed to start ${failedStarts} times. ${message}`),
          );
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
      // Its exit event may still be on its way: whoever asks now must not be given a process that is gone.
      child = undefined;
      killAtExit.delete(kill);
    },
    kill,
  };
}
