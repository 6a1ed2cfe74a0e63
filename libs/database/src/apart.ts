import { isDatabaseAway } from './database-away.js';

/**
 * Does what concerns one of several accounts, agents or bots: where it fails, that is reported, and those after it have
 * their turn all the same. Errors: a database that is away, which the others need as well.
 */
export async function apart(work: () => Promise<unknown>, report: (error: unknown) => void): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    report(error);
  }
}
