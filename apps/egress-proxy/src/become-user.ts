import { chownSync } from 'node:fs';

/**
 * Gives up root for a user that owns nothing but this folder: of a process that changed its user the kernel lets nobody
 * read the memory, and writes no core dump. Errors: none of the users can be had, e.g. in a container that maps few.
 */
export function becomeUser(uids: number[], folder: string): void {
  for (const uid of uids) {
    try {
      chownSync(folder, uid, uid);
      process.setgroups?.([]);
      process.setgid?.(uid);
      process.setuid?.(uid);
      return;
    } catch (error) {
      if (process.getgid?.() !== 0) throw error;
    }
  }
  throw new Error('the egress process cannot become a user of its own');
}
