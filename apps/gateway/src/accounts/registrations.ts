import { Sealer } from '#lib/auth';
import { CONFIG, LOGGER } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database, newId, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { randomInt } from 'node:crypto';
import { type GatewayConfig, isRegistrationOpen } from '../config.js';
import { Mailer } from '../mail/mailer.js';
import { lockEmail, NOBODY, registrationIsClosed } from './users.js';

/** Six digits are a million: five tries of one code guess it in one of 200,000 registrations. */
const MAX_CODE_TRIES = 5;
const CODE_LIFETIME = '1 hour';
/** How long a registration waits for its verification; another code can be asked for until then. */
const KEPT_FOR = '24 hours';
/** Of one email; each may cost a verification the check of a password. The oldest goes first. */
const MAX_WAITING = 8;
const SWEEP_EVERY_MS = 10 * 60_000;

interface Waiting {
  id: string;
  password_hash: string;
  code_hash: string | null;
  is_open: boolean;
}

/**
 * Registrations that wait for their email's verification. Anybody may register anybody's email, so each registration
 * has a code of its own, which lets in its own password alone. No answer tells whether an email is known.
 */
@Injectable()
export class Registrations implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    private readonly mailer: Mailer,
    @Inject(CONFIG) private readonly config: GatewayConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    // A sweep that fails is done by the next one; the rows only take room.
    this.timer = setInterval(() => void this.sweep().catch(() => undefined), SWEEP_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
  }

  /** Sends a code, unless the email is somebody's already; the row is written in either case, which takes the same time. */
  async register(email: string, password: string): Promise<void> {
    if (!isRegistrationOpen(this.config)) throw registrationIsClosed();
    const passwordHash = await hash(password);
    const id = newId();
    const code = newCode();
    const isKnown = await this.database.transaction(async (tx) => {
      await lockEmail(tx, email);
      const [known] = await tx.query(`SELECT 1 FROM users WHERE email = $1 AND verified_at IS NOT NULL`, [email]);
      await tx.query(
        `INSERT INTO registrations (id, email, password_hash, code_hash, code_expires_at)
         VALUES ($1, $2, $3, $4, now() + $5::interval)`,
        [id, email, passwordHash, known ? null : this.hashOf(id, code), CODE_LIFETIME],
      );
      await tx.query(
        `DELETE FROM registrations WHERE id IN (
           SELECT id FROM registrations WHERE email = $1 ORDER BY created_at DESC, id DESC OFFSET $2)`,
        [email, MAX_WAITING],
      );
      return known !== undefined;
    });
    if (!isKnown) this.mailer.sendCode(email, code);
  }

  /**
   * Makes the user of a registration. With `password` it is the one that was registered with it, whoever registered the
   * email before or since; without it the newest.
   * Errors: VALIDATION_ERROR for a wrong or old code, and for an unknown email alike.
   */
  async confirm(email: string, code: string, password: string | undefined): Promise<void> {
    const found = await this.find(email, password);
    const isRight =
      found?.is_open === true && (await this.spendTry(found.id)) && this.isCode(found, code)
        ? await this.database.transaction((tx) => this.admit(tx, email, found))
        : false;
    if (!isRight)
      throw new RoostError('VALIDATION_ERROR', 'code: is wrong or too old; ask for a new one', [
        { field: 'code', reason: 'invalid' },
      ]);
  }

  /** Sends a new code in place of the one before. Nobody waits for it: the time must not tell whether there is one to send. */
  resend(email: string, password: string | undefined): void {
    const work = this.sendAgain(email, password)
      .catch((error: unknown) => this.logger.error({ err: error }, 'a verification code could not be sent again'))
      .finally(() => this.underWay.delete(work));
    this.underWay.add(work);
  }

  private async sendAgain(email: string, password: string | undefined): Promise<void> {
    const found = await this.find(email, password);
    if (!found?.code_hash) return;
    const code = newCode();
    const changed = await this.database.query(
      `UPDATE registrations SET code_hash = $2, code_expires_at = now() + $3::interval, code_tries = 0
        WHERE id = $1 RETURNING id`,
      [found.id, this.hashOf(found.id, code), CODE_LIFETIME],
    );
    if (changed.length > 0) this.mailer.sendCode(email, code);
  }

  private async find(email: string, password: string | undefined): Promise<Waiting | undefined> {
    const waiting = await this.database.query<Waiting>(
      `SELECT id, password_hash, code_hash, code_expires_at > now() AS is_open FROM registrations
        WHERE email = $1 AND created_at > now() - $2::interval ORDER BY created_at DESC, id DESC LIMIT $3`,
      [email, KEPT_FOR, MAX_WAITING],
    );
    if (password === undefined) return waiting[0];
    if (waiting.length === 0) await verify(await NOBODY, password);
    for (const row of waiting) if (await verify(row.password_hash, password)) return row;
    return undefined;
  }

  /** Before the code is looked at, so that many guesses at once have no more tries than one after the other. */
  private async spendTry(id: string): Promise<boolean> {
    const spent = await this.database.query(
      `UPDATE registrations SET code_tries = code_tries + 1 WHERE id = $1 AND code_tries < $2 RETURNING id`,
      [id, MAX_CODE_TRIES],
    );
    return spent.length > 0;
  }

  /** False when somebody was let in with this email meanwhile. All that waited for it goes. */
  private async admit(tx: Transaction, email: string, { id, password_hash, code_hash }: Waiting): Promise<boolean> {
    await lockEmail(tx, email);
    const [taken] = await tx.query(`DELETE FROM registrations WHERE id = $1 AND code_hash = $2 RETURNING id`, [
      id,
      code_hash,
    ]);
    if (!taken) return false;
    await tx.query(`DELETE FROM registrations WHERE email = $1`, [email]);
    const accountId = newId();
    await tx.query(`INSERT INTO accounts (id, name) VALUES ($1::uuid, $1::text)`, [accountId]);
    const [user] = await tx.query<{ account_id: string }>(
      `INSERT INTO users (id, account_id, email, password_hash, verified_at) VALUES ($1, $2, $3, $4, now())
       ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, verified_at = now(), code_hash = NULL
         WHERE users.verified_at IS NULL
       RETURNING account_id`,
      [newId(), accountId, email, password_hash],
    );
    if (user?.account_id !== accountId) await tx.query(`DELETE FROM accounts WHERE id = $1`, [accountId]);
    return user !== undefined;
  }

  private isCode({ id, code_hash }: Waiting, code: string): boolean {
    return code_hash !== null && this.sealer.isHashOf(code_hash, code, placeOf(id));
  }

  private hashOf(id: string, code: string): string {
    return this.sealer.keyedHash(code, placeOf(id));
  }

  private async sweep(): Promise<void> {
    await this.database.query(
      `DELETE FROM registrations WHERE id IN (
         SELECT id FROM registrations WHERE created_at < now() - $1::interval LIMIT 10000)`,
      [KEPT_FOR],
    );
  }
}

const placeOf = (id: string) => `registrations:${id}`;
const newCode = () => String(randomInt(1_000_000)).padStart(6, '0');
