import type { FaultTargets } from '../fault-targets.js';
import type { Promised } from '../check/check-record.js';
import type { Random } from '../random.js';
import type { Build, Patch } from '../roost/builds.js';
import type { RoostUnderTest } from '../roost/roost-under-test.js';

export interface FaultContext {
  targets: FaultTargets;
  random: Random;
  /** How long a service takes to start on this machine. */
  startMs: number;
  /** Writes down that it begins now, and what it hits. `endsWorkers`: processes of agent-runtime are killed by it. */
  begin(what: string, effect?: { endsWorkers: boolean }): void;
}

/** What faults that need more than processes work on. */
export interface WholeContext extends FaultContext {
  roost: RoostUnderTest;
  /** Resolves when messages are being accepted: there is something to lose. Waits for a minute at most. */
  untilLoaded(): Promise<void>;
  /** Another version, for what replaces processes. */
  previous: () => Build;
  current: Build;
}

/** A run with what guards against this fault taken out, which the checker must notice. */
export interface PositiveControl<Context extends FaultContext = WholeContext> {
  /** What is not there, for the document. */
  without: string;
  patches: readonly Patch[];
  /** Of whose version the patched build takes the place: of all that runs, or of the version that is rolled to. */
  replaces?: 'current' | 'previous';
  /** Of PostgreSQL, where a guard that is missing would be covered by how soon it does something by itself. */
  postgres?: { [setting: string]: string };
  /** Where the class hits at random what the guard may not be in. */
  inject?(context: Context): Promise<void>;
  /** What must be found broken: one of them. */
  breaks: readonly Promised[];
  faults: number;
}

export interface FaultClass<Context extends FaultContext = WholeContext> {
  name: string;
  /** How it is made and what it covers, for the document. */
  how: string;
  quick: number;
  long: number;
  /** It goes on while others happen. */
  takesLong?: boolean;
  /** Why it cannot be made here; said aloud, and written into the document. */
  missing?(): Promise<string | undefined> | string | undefined;
  /** Makes one and resolves when its cause is over. Errors: what does not come back. */
  inject(context: Context): Promise<void>;
  control: PositiveControl<Context>;
}
