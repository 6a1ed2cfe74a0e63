import { RoostError, ERROR_STATUS } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { Call } from '../http/endpoint.js';
import { errorBody } from '../http/error-body.js';
import { requestIdOf } from '../http/request-context.js';

const SWEEP_EVERY_MS = 10 * 60_000;

interface KeptRow {
  fingerprint: string;
  status: number | null;
  body: unknown;
}

/**
 * Results of POSTs by `Idempotency-Key`, kept 24 h (spec: 00-overview).
 * Promised: of calls with one key, one runs at a time and one result is kept. Not promised: that a call whose gateway
 * was killed in the middle is not carried out again; services that must know get the key and dedupe themselves.
 */
@Injectable()
export class IdempotencyStore implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    // A sweep that fails is done by the next one; the rows only take room.
    this.timer = setInterval(() => void this.sweep().catch(() => undefined), SWEEP_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /**
   * Runs the call, or gives the first result of its key.
   * Errors: IDEMPOTENCY_KEY_REUSED (another request had the key), CONFLICT (the first is still running).
   */
  async once(call: Call, key: string, run: () => Promise<unknown>): Promise<unknown> {
    const scope = [call.accountId, key];
    const fingerprint = fingerprintOf(call);
    const kept = await this.take(scope, fingerprint);
    if (kept) return this.replay(call, kept, fingerprint);
    try {
      const answer = await run();
      await this.keep(scope, call.reply.statusCode, answer);
      return answer;
    } catch (error) {
      // A refusal is a result; a failure of ours is not, and the caller must be able to try again.
      if (error instanceof RoostError && ERROR_STATUS[error.code] < 500 && error.code !== 'RATE_LIMITED') {
        await this.keep(scope, ERROR_STATUS[error.code], errorBody(error, requestIdOf(call.request)));
      } else {
        await this.database.query(`DELETE FROM idempotency WHERE account_id = $1 AND key = $2`, scope);
      }
      throw error;
    }
  }

  /** Takes the key for this call, or gives the row of the call that has it. A runner lost for 2 minutes is replaced. */
  private async take(scope: string[], fingerprint: string): Promise<KeptRow | undefined> {
    const taken = await this.database.query(
      `INSERT INTO idempotency AS kept (account_id, key, fingerprint) VALUES ($1, $2, $3)
       ON CONFLICT (account_id, key) DO UPDATE SET fingerprint = $3, status = NULL, body = NULL, created_at = now()
       WHERE kept.created_at < now() - interval '24 hours'
          OR (kept.status IS NULL AND kept.created_at < now() - interval '2 minutes' AND kept.fingerprint = $3)
       RETURNING kept.key`,
      [...scope, fingerprint],
    );
    if (taken.length > 0) return undefined;
    const [kept] = await this.database.query<KeptRow>(
      `SELECT fingerprint, status, body FROM idempotency WHERE account_id = $1 AND key = $2`,
      scope,
    );
    return kept ?? { fingerprint, status: null, body: null };
  }

  private replay(call: Call, kept: KeptRow, fingerprint: string): unknown {
    if (kept.fingerprint !== fingerprint) {
      throw new RoostError(
        'IDEMPOTENCY_KEY_REUSED',
        'this Idempotency-Key was used for another request; use a new one',
      );
    }
    if (kept.status === null) {
      throw new RoostError('CONFLICT', 'the first request with this Idempotency-Key is still running', [], 1);
    }
    call.reply.header('idempotent-replayed', 'true').code(kept.status);
    return kept.body;
  }

  private async keep(scope: string[], status: number, body: unknown): Promise<void> {
    await this.database.query(`UPDATE idempotency SET status = $3, body = $4 WHERE account_id = $1 AND key = $2`, [
      ...scope,
      status,
      JSON.stringify(body ?? null),
    ]);
  }

  /** Forgets what is older than 24 h. */
  private async sweep(): Promise<void> {
    await this.database.query(
      `DELETE FROM idempotency WHERE ctid IN (
         SELECT ctid FROM idempotency WHERE created_at < now() - interval '24 hours' LIMIT 10000)`,
    );
  }
}

function fingerprintOf(call: Call): string {
  return createHash('sha256')
    .update(`${call.request.method} ${call.request.url}\n`)
    .update(call.rawBody ?? '')
    .digest('base64url');
}
