import { RoostError } from '#lib/contracts';

type Outcome = { success: true } | { success: false; error: { code: string; message: string } };

/** Runs one of several operations; its failure is a result, so that the others stand. */
export async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    await work();
    return { success: true };
  } catch (error) {
    if (error instanceof RoostError) return { success: false, error: { code: error.code, message: error.message } };
    throw error;
  }
}
