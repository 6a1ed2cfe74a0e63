/** The moment so many milliseconds ago, a parameter, by the database's clock. */
export const before = (ageMs: string): string => `now() - ${ageMs}::double precision * interval '1 millisecond'`;

/**
 * That nobody has found since how a server is (`checked_at`). A try that fails may take long, and says how the server was
 * when it began; one that succeeds says how the server is.
 */
export const notSeenFor = (ageMs: string, table = ''): string =>
  `coalesce(${table}checked_at <= ${before(ageMs)}, true)`;
