import { Sealer } from '#lib/auth';
import { Database } from '#lib/database';
import { EVERY_TEN_MINUTES, inBatches, Sweep, SWEEP_BATCH } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';

/** A call that was silent for so long is taken for lost with its gateway. */
const LOST_SECONDS = 15;

/**
 * The account, and the key it gave: nobody is given the answer of somebody else. And the call that has it, or had it: once
 * another has taken the key over, the first changes nothing there.
 */
export type TakenKey = readonly [accountId: string, key: string, call: string];

/** A call's key as services get it: the same for all that repeat it, another one for what the key is used for afterwards. */
export interface Taken {
  dedupeKey: string;
}

export interface KeptCall {
  fingerprint: string;
  /** Null while the call is running. */
  status: number | null;
  /** JSON. */
  body: string | null;
}

/** The column that holds answers, for a change of the master key. */
export const sealedAnswers = {
  table: 'idempotency',
  column: 'sealed_body',
  id: `scope || ':' || key`,
  context: 'idempotency',
};
const sealContext = ([accountId, key]: TakenKey) => `idempotency:${accountId}:${key}`;
/** Its parameters are a `TakenKey`. */
const IS_HELD = 'scope = $1 AND key = $2 AND call = $3';
const IS_OVER = `kept.created_at < now() - interval '24 hours'`;

/** Calls by their `Idempotency-Key`, kept 24 h. Answers are kept sealed: they may hold keys and tokens. */
@Injectable()
export class IdempotencyRepository {
  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
  ) {}

  /** Takes the key for a call, or returns the call that has it. One that was lost is replaced. */
  async take(taken: TakenKey, fingerprint: string): Promise<Taken | KeptCall> {
    const [accountId, key] = taken;
    const [row] = await this.database.query<{ first_call: string | null }>(
      `INSERT INTO idempotency AS kept (scope, key, call, first_call, fingerprint) VALUES ($1, $2, $3, $3, $4)
       ON CONFLICT (scope, key) DO UPDATE
       SET call = $3, fingerprint = $4, status = NULL, sealed_body = NULL, created_at = now(),
         first_call = CASE WHEN ${IS_OVER} OR kept.fingerprint <> $4 THEN $3 ELSE kept.first_call END
       WHERE ${IS_OVER} OR (kept.status IS NULL AND kept.created_at < now() - interval '${LOST_SECONDS} seconds'
         AND (kept.fingerprint = $4 OR kept.call IS NULL))
       RETURNING kept.first_call`,
      [...taken, fingerprint],
    );
    if (row) return { dedupeKey: row.first_call === null ? key : `${key}:${row.first_call}` };
    const [kept] = await this.database.query<{
      fingerprint: string;
      status: number | null;
      sealed_body: string | null;
    }>(`SELECT fingerprint, status, sealed_body FROM idempotency WHERE scope = $1 AND key = $2`, [accountId, key]);
    if (!kept) return { fingerprint, status: null, body: null };
    const { sealed_body: sealed } = kept;
    return { ...kept, body: sealed === null ? null : this.sealer.open(sealed, sealContext(taken)) };
  }

  /** States that the call is still running. */
  async touch(taken: TakenKey): Promise<void> {
    await this.database.query(`UPDATE idempotency SET created_at = now() WHERE ${IS_HELD} AND status IS NULL`, [
      ...taken,
    ]);
  }

  /** A call whose key was taken over has its answer for itself: whoever repeats it is given the present holder's. */
  async keep(taken: TakenKey, fingerprint: string, status: number, body: string): Promise<void> {
    await this.database.query(
      `UPDATE idempotency SET fingerprint = $4, status = $5, sealed_body = $6 WHERE ${IS_HELD}`,
      [...taken, fingerprint, status, this.sealer.seal(body, sealContext(taken))],
    );
  }

  /**
   * Leaves the key to the next call, as if this one were lost. The first call stays known: what failed for its caller may
   * have been carried out.
   */
  async giveBack(taken: TakenKey): Promise<void> {
    await this.database.query(
      `UPDATE idempotency SET call = NULL, created_at = now() - interval '${LOST_SECONDS} seconds' WHERE ${IS_HELD}`,
      [...taken],
    );
  }

  @Sweep('gateway.idempotency', EVERY_TEN_MINUTES)
  async sweep(signal?: AbortSignal): Promise<void> {
    const some = `
      DELETE FROM idempotency WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM idempotency WHERE created_at < now() - interval '24 hours' LIMIT ${SWEEP_BATCH})) RETURNING 1`;
    await inBatches(() => this.database.query(some), signal);
  }
}
