/** When a sweep runs: a cron expression with seconds, and by how much each run is put off at random, so that replicas do not all begin at once. */
export interface SweepTimes {
  cron: string;
  jitterMs: number;
  /** Also when the service starts, without a delay. */
  atStart?: boolean;
}

export const EVERY_MINUTE: SweepTimes = { cron: '0 * * * * *', jitterMs: 20_000 };
export const EVERY_TEN_MINUTES: SweepTimes = { cron: '0 */10 * * * *', jitterMs: 120_000 };
export const HOURLY: SweepTimes = { cron: '0 0 * * * *', jitterMs: 600_000 };

export interface SweepDefinition extends SweepTimes {
  /** `<service>.<what is swept>`, for the log and as a label of the metrics. */
  name: string;
  /** The signal ends a run between two batches when the service stops. Errors are logged, and the next run follows. */
  run(signal: AbortSignal): Promise<void>;
}

type SweepMethod = (signal: AbortSignal) => Promise<void>;

const declared = new WeakMap<object, { name: string; times: SweepTimes; method: string }[]>();

/** Runs a provider's method from time to time, as long as its service runs. */
export function Sweep(name: string, times: SweepTimes) {
  return (prototype: object, method: string): void => {
    declared.set(prototype, [...(declared.get(prototype) ?? []), { name, times, method }]);
  };
}

/** The sweeps that a provider's class declares. */
export function sweepsOf(instance: object): SweepDefinition[] {
  const methods = instance as Record<string, SweepMethod>;
  return (declared.get(Object.getPrototypeOf(instance) as object) ?? []).map(({ name, times, method }) => ({
    ...times,
    name,
    run: (signal) => methods[method]!(signal),
  }));
}
