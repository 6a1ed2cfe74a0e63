import type { Neighbours } from '#lib/bus/rpc';

/** A service that was started, whether alone or beside others in one process. */
export interface RunningService {
  readonly name: string;
  /** Where it listens, if it listens. */
  readonly url?: string;
  /** Where its metrics are, if it serves them. */
  readonly metricsUrl?: string;
  /** Drains and stops it: takes nothing new, finishes what runs, closes its connections. */
  stop(): Promise<void>;
}

/** The environment a service is started with: `process.env`, or what the launcher hands it. */
export type Environment = Record<string, string | undefined>;

/** Every app's `main.ts` exports one. `neighbours` are the services that run in the same process, if any do. */
export type StartService = (env: Environment, neighbours?: Neighbours) => Promise<RunningService>;
