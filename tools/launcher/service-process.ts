import { type ChildProcess, spawn } from 'node:child_process';
import type { Environment } from '#lib/config';
import { printable } from '#lib/bounded-streams';
import { RoostError } from '#lib/contracts/errors';
import { processFlags } from './process-flags.js';
import type { ServicesLog } from './services-log.js';
import { type SupervisedProcess, supervise } from './supervised-process.js';

export interface ServiceProcessOptions {
  /** For people: `messaging`, or `The services`. */
  name: string;
  /** Where its text in the log comes from. */
  source: string;
  /** What Node is started with: flags and the program, which answers as `ServiceAnswer` says. */
  nodeArguments: string[];
  environment: Environment;
  /** Sent to each process that is started, once it resolves. */
  order?: Promise<object>;
  servicesLog: ServicesLog;
  log(line: string): void;
  onGivenUp(reason: Error): void;
}

/** What a process of services reports over its channel. */
export type ServiceAnswer = { kind: 'ready'; url?: string | undefined } | { kind: 'failed'; message: string };

const drainMs = 25_000;
const keptLines = 20;
/** On the terminal; the log has the whole line. */
const maxShownLength = 2_000;

export interface ServiceProcess extends SupervisedProcess {
  readonly url: string | undefined;
}

/**
 * Starts a process of services, and starts it again when it ends, whatever ended it. It ends with this process, however
 * that ends. Errors: SERVICE_UNAVAILABLE with the service's own words when it cannot start.
 */
export async function superviseServices(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const { name, source, order, servicesLog, log } = options;
  let lines: string[] = [];
  let url: string | undefined;
  let complaint: string | undefined;
  const logLine = (line: string) => {
    log(line);
    servicesLog.note(line);
  };
  const supervised = await supervise({
    name,
    log: logLine,
    isServer: false,
    orphanSignal: 'SIGKILL',
    stopSignals: ['SIGTERM', 'SIGKILL'],
    stopGraceMs: drainMs,
    onGivenUp: options.onGivenUp,
    describeFailure: () => complaint ?? lastWords(lines) ?? '',
    describeEnd: () => lastWords(lines),
    whenReady: async (child) => {
      const answer = nextAnswer(child);
      void answer.then((outcome) => (complaint = outcome.kind === 'failed' ? outcome.message : undefined));
      // Sending fails when the process has ended, which its exit shows.
      if (order) child.send(await order, () => undefined);
      const outcome = await answer;
      if (outcome.kind === 'failed') throw new RoostError('SERVICE_UNAVAILABLE', outcome.message);
      url = outcome.url;
    },
    spawn() {
      const child = spawn(process.execPath, [...processFlags, ...options.nodeArguments], {
        env: options.environment,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        // Its own process group, so that Ctrl-C in the terminal reaches us alone and we choose the order of stopping.
        detached: true,
      });
      lines = [];
      if (child.stdout) servicesLog.collect(child.stdout, source);
      if (child.stderr) {
        servicesLog.collect(child.stderr, source, (line) => {
          lines = [...lines.slice(1 - keptLines), line];
          log(`[${source}] ${printable(line.slice(0, maxShownLength))}`);
        });
      }
      return child;
    },
  });
  return {
    get pid() {
      return supervised.pid;
    },
    get url() {
      return url;
    },
    stop: () => supervised.stop(),
    kill: () => supervised.kill(),
  };
}

/** Never resolves when the process ends first: its exit reports that. */
function nextAnswer(child: ChildProcess): Promise<ServiceAnswer> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as ServiceAnswer)));
}

/** Of what V8 and Node print when a process ends by an error, the line that says which. */
function lastWords(lines: string[]): string | undefined {
  const found =
    lines.findLast((line) => line.startsWith('FATAL ERROR: ')) ?? lines.find((line) => /^\w*Error\b.*: /.test(line));
  return found && printable(found.replace(/^FATAL ERROR: /, '').slice(0, 300));
}
