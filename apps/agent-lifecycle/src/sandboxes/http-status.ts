/**
 * The HTTP status of a refusal by Docker or by the Kubernetes API, whose clients name it differently; undefined when
 * there was no answer at all.
 */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown };
  return [code, statusCode].find((value): value is number => typeof value === 'number' && value >= 100 && value < 600);
}

/** What was asked for, or undefined when there is no such thing (404). Errors: all others of `asked`. */
export async function orUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}
