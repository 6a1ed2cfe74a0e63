import { type ErrorCode, ERROR_STATUS, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Sealer } from '#lib/auth';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { createHash, type Hash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import type { Call } from '../http/endpoint.js';
import { errorBody } from '../http/error-body.js';
import { requestIdOf } from '../http/request-context.js';

const SWEEP_EVERY_MS = 10 * 60_000;
/** A call that runs says so this often; one that was silent for `LOST_SECONDS` is taken for lost with its gateway. */
const ALIVE_EVERY_MS = 4_000;
const LOST_SECONDS = 15;
/** Refusals that a caller makes go away by waiting or making room: the same request is then carried out. */
const MAY_PASS: ErrorCode[] = ['RATE_LIMITED', 'QUOTA_EXCEEDED'];

interface KeptRow {
  fingerprint: string;
  status: number | null;
  sealed_body: string | null;
}

/**
 * Results of POSTs by `Idempotency-Key`, kept 24 h (spec: 00-overview).
 * Promised: of calls with one key, one runs at a time and one result is kept. Not promised: that a call whose gateway
 * was killed in the middle is not carried out again; services that must know get the key and dedupe themselves.
 * Answers are kept sealed: they may hold keys and tokens.
 */
@Injectable()
export class IdempotencyStore implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
  ) {}

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
    const scope = [scopeOf(call), key];
    const fingerprint = fingerprintOf(call);
    const kept = await this.take(scope, fingerprint.begun);
    if (kept) return this.replay(call, scope, kept, await fingerprint.whole());
    call.stream = fingerprint.stream;
    const alive = setInterval(() => void this.keepTaken(scope), ALIVE_EVERY_MS).unref();
    try {
      const answer = await run();
      await this.keep(scope, await fingerprint.whole(), call.reply.statusCode, answer);
      return answer;
    } catch (error) {
      // A refusal is a result; a failure of ours is not, and the caller must be able to try again.
      const isRefusal = error instanceof RoostError && ERROR_STATUS[error.code] < 500 && !MAY_PASS.includes(error.code);
      const whole = isRefusal ? await fingerprint.whole().catch(() => undefined) : undefined;
      if (isRefusal && whole !== undefined) {
        const body = errorBody(error, requestIdOf(call.request));
        await this.keep(scope, whole, ERROR_STATUS[error.code], body);
      } else {
        await this.database.query(`DELETE FROM idempotency WHERE scope = $1 AND key = $2`, scope);
      }
      throw error;
    } finally {
      clearInterval(alive);
    }
  }

  private async keepTaken(scope: string[]): Promise<void> {
    await this.database
      .query(`UPDATE idempotency SET created_at = now() WHERE scope = $1 AND key = $2 AND status IS NULL`, scope)
      .catch(() => undefined); // said again in a moment
  }

  /** Takes the key for this call, or gives the row of the call that has it. A runner that was lost is replaced. */
  private async take(scope: string[], fingerprint: string): Promise<KeptRow | undefined> {
    const taken = await this.database.query(
      `INSERT INTO idempotency AS kept (scope, key, fingerprint) VALUES ($1, $2, $3)
       ON CONFLICT (scope, key) DO UPDATE SET fingerprint = $3, status = NULL, sealed_body = NULL, created_at = now()
       WHERE kept.created_at < now() - interval '24 hours'
          OR (kept.status IS NULL AND kept.created_at < now() - interval '${LOST_SECONDS} seconds' AND kept.fingerprint = $3)
       RETURNING kept.key`,
      [...scope, fingerprint],
    );
    if (taken.length > 0) return undefined;
    const [kept] = await this.database.query<KeptRow>(
      `SELECT fingerprint, status, sealed_body FROM idempotency WHERE scope = $1 AND key = $2`,
      scope,
    );
    return kept ?? { fingerprint, status: null, sealed_body: null };
  }

  private replay(call: Call, scope: string[], kept: KeptRow, fingerprint: string): unknown {
    // While it runs, a stream's fingerprint is not known yet: it cannot be told apart, and is still running.
    if (kept.fingerprint !== fingerprint && (kept.status !== null || !call.stream)) {
      throw new RoostError(
        'IDEMPOTENCY_KEY_REUSED',
        'this Idempotency-Key was used for another request; use a new one',
      );
    }
    if (kept.status === null) {
      throw new RoostError('CONFLICT', 'the first request with this Idempotency-Key is still running', [], 1);
    }
    call.reply.header('idempotent-replayed', 'true').code(kept.status);
    return kept.sealed_body === null
      ? undefined
      : (JSON.parse(this.sealer.open(kept.sealed_body, placeOf(scope))) as unknown);
  }

  private async keep(scope: string[], fingerprint: string, status: number, body: unknown): Promise<void> {
    await this.database.query(
      `UPDATE idempotency SET fingerprint = $3, status = $4, sealed_body = $5 WHERE scope = $1 AND key = $2`,
      [...scope, fingerprint, status, this.sealer.seal(JSON.stringify(body ?? null), placeOf(scope))],
    );
  }

  /** Forgets what is older than 24 h. */
  private async sweep(): Promise<void> {
    await this.database.query(
      `DELETE FROM idempotency WHERE ctid IN (
         SELECT ctid FROM idempotency WHERE created_at < now() - interval '24 hours' LIMIT 10000)`,
    );
  }
}

/** The column that holds answers, for a change of the master key. */
export const sealedAnswers = {
  table: 'idempotency',
  column: 'sealed_body',
  id: `scope || ':' || key`,
  place: 'idempotency',
};
const placeOf = (scope: string[]) => `idempotency:${scope.join(':')}`;

/** Nobody is given the answer of somebody else. */
const scopeOf = ({ accountId }: Call) => accountId;

interface Fingerprint {
  /** Known before the body is. */
  begun: string;
  /** Of the request with its whole body; reads what is left of it. */
  whole(): Promise<string>;
  /** To be read in place of the request's. */
  stream: Readable | undefined;
}

function fingerprintOf({ request, rawBody, stream }: Call): Fingerprint {
  const hash = createHash('sha256').update(`${request.method} ${request.url}\n`);
  if (!stream) {
    const fingerprint = hash.update(rawBody ?? '').digest('base64url');
    return { begun: fingerprint, whole: () => Promise.resolve(fingerprint), stream: undefined };
  }
  const hashed = hashing(stream, hash);
  let whole: Promise<string> | undefined;
  return {
    begun: `stream:${hash.copy().digest('base64url')}`,
    whole: () => (whole ??= drained(hashed).then(() => hash.digest('base64url'))),
    stream: hashed,
  };
}

function hashing(source: Readable, hash: Hash): Readable {
  const hashed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  source.once('error', (error) => hashed.destroy(error));
  // Whoever reads it sees the failure; where nobody reads any more it must not end the process.
  hashed.on('error', () => undefined);
  return source.pipe(hashed);
}

async function drained(stream: Readable): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  for await (const _ of stream);
}
