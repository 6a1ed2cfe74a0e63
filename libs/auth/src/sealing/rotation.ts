import type { Logger } from '#lib/observability';
import type { Sealer } from './sealer.js';

/** A column of sealed values. All four are parts of our own SQL, never input. */
export interface SealedColumn {
  table: string;
  column: string;
  /** SQL that gives a row's id as text. */
  id: string;
  /** Values are sealed for `<context>:<id>`. */
  context: string;
}

export interface Queries {
  query<T extends object>(sql: string, parameters?: unknown[]): Promise<T[]>;
}

const BATCH = 500;
const FIRST_ROW = '(0,0)';

/**
 * Brings every value of a column under the current master key, in batches, so that a replaced key can be thrown away.
 * A value that is written meanwhile is left as its writer sealed it. Gives how many were wrapped anew.
 * Errors: when all others are: as `Sealer.open` for the first that cannot be opened, naming the master key that is missing.
 */
export async function rotateColumn(
  database: Queries,
  sealer: Sealer,
  { table, column, id, context }: SealedColumn,
  isStopped: () => boolean = () => false,
): Promise<number> {
  let rotated = 0;
  let after = FIRST_ROW;
  /** In this pass through the table nothing was left to do. */
  let isClean = true;
  let failure: Error | undefined;
  for (;;) {
    // From where the last batch ended: from the begin of the table each time, a million rows would be read a thousand times.
    const rows = await database.query<{ id: string; row: string; sealed: string }>(
      `SELECT ${id} AS id, ctid::text AS row, ${column} AS sealed FROM ${table}
       WHERE ctid > $2::tid AND ${column} IS NOT NULL AND NOT starts_with(${column}, $1) LIMIT ${BATCH}`,
      [sealer.currentPrefix, after],
    );
    if (isStopped()) return rotated;
    if (rows.length === 0) {
      if (!isClean) {
        // Once more from the begin until nothing is found: what others wrote meanwhile may lie before.
        [after, isClean] = [FIRST_ROW, true];
        continue;
      }
      if (failure) throw failure;
      return rotated;
    }
    after = rows.at(-1)?.row ?? FIRST_ROW;
    const opened = rows.flatMap(({ id: rowId, row, sealed }) => {
      try {
        return [{ row, sealed, anew: sealer.rotate(sealed, `${context}:${rowId}`) }];
      } catch (error) {
        // One that no key opens must not keep the others under the old one.
        failure ??= asError(error);
        return [];
      }
    });
    if (opened.length === 0) continue;
    isClean = false;
    const changed = await database.query(
      `UPDATE ${table} SET ${column} = given.new
       FROM unnest($1::tid[], $2::text[], $3::text[]) AS given (row, old, new)
       WHERE ${table}.ctid = given.row AND ${column} = given.old RETURNING 1 AS changed`,
      [opened.map(({ row }) => row), opened.map(({ sealed }) => sealed), opened.map(({ anew }) => anew)],
    );
    rotated += changed.length;
  }
}

/**
 * Brings several columns under the current master key, each whatever becomes of the others. Gives how many values were
 * wrapped anew. Errors: as `rotateColumn`, the first.
 */
export async function rotateColumns(
  database: Queries,
  sealer: Sealer,
  columns: readonly SealedColumn[],
  isStopped: () => boolean,
): Promise<number> {
  let count = 0;
  let failure: Error | undefined;
  for (const column of columns)
    await rotateColumn(database, sealer, column, isStopped).then(
      (rotated) => (count += rotated),
      (error: unknown) => (failure ??= asError(error)),
    );
  if (failure) throw failure;
  return count;
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));

/** A provider that brings columns under the current master key once at each start, while the service works. */
export class RotationAtStart {
  private isStopped = false;
  private rotating: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Queries,
    private readonly sealer: Sealer,
    private readonly columns: readonly SealedColumn[],
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.rotating = this.run().catch((error: unknown) =>
      this.logger.error({ err: error }, 'secrets are not all under the new master key; the next start tries again'),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    await this.rotating;
  }

  private async run(): Promise<void> {
    const count = await rotateColumns(this.database, this.sealer, this.columns, () => this.isStopped);
    if (count > 0) this.logger.info({ count }, 'secrets were brought under the new master key');
  }
}
