import { Sealer } from '#lib/auth';
import { Database } from '#lib/database';
import { EVERY_TEN_MINUTES, inBatches, Sweep, SWEEP_BATCH } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';

/** A call that was silent for so long is taken for lost with its gateway. */
const LOST_SECONDS = 15;

/** The account, and the key it gave: nobody is given the answer of somebody else. */
export type CallKey = readonly [accountId: string, key: string];

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
const sealContext = (call: CallKey) => `idempotency:${call.join(':')}`;

/** Calls by their `Idempotency-Key`, kept 24 h. Answers are kept sealed: they may hold keys and tokens. */
@Injectable()
export class IdempotencyRepository {
  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
  ) {}

  /** Takes the key for a call, or returns the call that has it. One that was lost is replaced. */
  async take(call: CallKey, fingerprint: string): Promise<KeptCall | undefined> {
    const taken = await this.database.query(
      `INSERT INTO idempotency AS kept (scope, key, fingerprint) VALUES ($1, $2, $3)
       ON CONFLICT (scope, key) DO UPDATE SET fingerprint = $3, status = NULL, sealed_body = NULL, created_at = now()
       WHERE kept.created_at < now() - interval '24 hours'
          OR (kept.status IS NULL AND kept.created_at < now() - interval '${LOST_SECONDS} seconds' AND kept.fingerprint = $3)
       RETURNING kept.key`,
      [...call, fingerprint],
    );
    if (taken.length > 0) return undefined;
    const [kept] = await this.database.query<{
      fingerprint: string;
      status: number | null;
      sealed_body: string | null;
    }>(`SELECT fingerprint, status, sealed_body FROM idempotency WHERE scope = $1 AND key = $2`, [...call]);
    if (!kept) return { fingerprint, status: null, body: null };
    const { sealed_body: sealed } = kept;
    return { ...kept, body: sealed === null ? null : this.sealer.open(sealed, sealContext(call)) };
  }

  /** States that the call is still running. */
  async touch(call: CallKey): Promise<void> {
    await this.database.query(
      `UPDATE idempotency SET created_at = now() WHERE scope = $1 AND key = $2 AND status IS NULL`,
      [...call],
    );
  }

  async keep(call: CallKey, fingerprint: string, status: number, body: string): Promise<void> {
    await this.database.query(
      `UPDATE idempotency SET fingerprint = $3, status = $4, sealed_body = $5 WHERE scope = $1 AND key = $2`,
      [...call, fingerprint, status, this.sealer.seal(body, sealContext(call))],
    );
  }

  async forget(call: CallKey): Promise<void> {
    await this.database.query(`DELETE FROM idempotency WHERE scope = $1 AND key = $2`, [...call]);
  }

  @Sweep('gateway.idempotency', EVERY_TEN_MINUTES)
  async sweep(signal?: AbortSignal): Promise<void> {
    const some = `
      DELETE FROM idempotency WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM idempotency WHERE created_at < now() - interval '24 hours' LIMIT ${SWEEP_BATCH})) RETURNING 1`;
    await inBatches(() => this.database.query(some), signal);
  }
}
