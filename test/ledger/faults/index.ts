import { clockSteps } from './clock-steps.js';
import type { FaultClass } from './fault-class.js';
import { freezes } from './freezes.js';
import { fullDisk } from './full-disk.js';
import { kills } from './kills.js';
import { network } from './network.js';
import { powerCuts } from './power-cuts.js';
import { rollingRestarts } from './rolling-restarts.js';
import { wipedBus } from './wiped-bus.js';

/** Every class of fault, in the order of the document. */
export const faultClasses: readonly FaultClass[] = [
  kills,
  freezes,
  wipedBus,
  network,
  powerCuts,
  fullDisk,
  clockSteps,
  rollingRestarts,
];
