import { readFile } from 'node:fs/promises';
import type { LocalRuntimeName } from '../driver-names.js';
import { bubblewrap } from './bubblewrap.js';
import { findRunsc } from './find-runsc.js';
import { runsc } from './runsc.js';
import type { NoRuntime, SandboxRuntime } from './runtime.js';

export interface RuntimePaths {
  /** Undefined or empty: not installed. */
  bwrap: string | undefined;
  runsc: string;
}

/** What makes local sandboxes, by its name. Who wants one of them never gets another. */
export const localRuntimes = {
  bubblewrap: async ({ bwrap }: RuntimePaths): Promise<SandboxRuntime | NoRuntime> => {
    if (!bwrap)
      return { whyNot: 'bubblewrap is not installed: install the package "bubblewrap" and start Roost again' };
    const whyNot = await whyMemoryIsOpen();
    return whyNot === undefined ? bubblewrap(bwrap) : { whyNot };
  },
  runsc: async (paths: RuntimePaths): Promise<SandboxRuntime | NoRuntime> => {
    const found = await findRunsc(paths.runsc);
    return 'whyNot' in found ? found : runsc(found);
  },
} satisfies Record<LocalRuntimeName, unknown>;

/** Where the kernel does not hide the memory of programs that cannot be read, commands could take over the daemon. */
export async function whyMemoryIsOpen(file = '/proc/sys/fs/suid_dumpable'): Promise<string | undefined> {
  const value = await readFile(file, 'utf8').catch(() => '0'); // a kernel without the setting hides it
  if (value.trim() !== '1') return undefined;
  return 'the kernel setting fs.suid_dumpable is 1, which opens the memory of every program: set it to 0 or 2';
}
