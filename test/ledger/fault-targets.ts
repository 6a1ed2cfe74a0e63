export const SERVERS = ['postgres', 'nats-server'] as const;
/** Every service of Roost; a run may have several processes of one. */
export const SERVICES = [
  'agent-lifecycle',
  'messaging',
  'agent-runtime',
  'scheduler',
  'webhook-dispatch',
  'channels',
  'gateway',
] as const;

export type Target = (typeof SERVERS)[number] | (typeof SERVICES)[number] | 'docker-guard';

/** A process, or a container of one, that runs now and may be hit. */
export interface Victim {
  /** For the log. */
  name: string;
  /** Since its start. */
  ageMs: number;
  kill(): void | Promise<void>;
  /** Stops it for this long; resolves when it goes on. One that ended meanwhile is left alone. */
  freeze(forMs: number): Promise<void>;
}

/** What a run's faults hit. */
export interface FaultTargets {
  /** Those of a target that run; one that is coming back is not among them. */
  find(target: Target): Victim[] | Promise<Victim[]>;
  /** Holds the streams of the NATS server, which writes on while they are deleted. */
  busFolder: string;
}
