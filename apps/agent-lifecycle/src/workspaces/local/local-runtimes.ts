import { bubblewrap } from './bubblewrap.js';
import { findRunsc } from './find-runsc.js';
import { runsc } from './runsc.js';
import type { NoRuntime, SandboxRuntime } from './runtime.js';

export interface RuntimePaths {
  /** Undefined or empty: not to be had. */
  bwrap: string | undefined;
  runsc: string;
}

/** What local sandboxes are made by, by its name in ROOST_LOCAL_RUNTIME. Who wants one of them never gets another. */
export const localRuntimes = {
  bubblewrap: async ({ bwrap }: RuntimePaths): Promise<SandboxRuntime | NoRuntime> =>
    bwrap
      ? bubblewrap(bwrap)
      : { whyNot: 'bubblewrap is not installed: install the package "bubblewrap" and start Roost again' },
  runsc: async (paths: RuntimePaths): Promise<SandboxRuntime | NoRuntime> => {
    const found = await findRunsc(paths.runsc);
    return 'whyNot' in found ? found : runsc(found);
  },
};

type LocalRuntime = keyof typeof localRuntimes;

export const localRuntimeNames = Object.keys(localRuntimes) as [LocalRuntime, ...LocalRuntime[]];
