import { recordAudit } from '#lib/audit';
import { Sealer } from '#lib/auth';
import { CONFIG, LOGGER } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database, newId, type Transaction } from '#lib/database';
import { EVERY_TEN_MINUTES, Sweep } from '#lib/sweeps';
import type { Logger } from '#lib/observability';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { randomInt } from 'node:crypto';
import { type GatewayConfig, isRegistrationOpen } from '../config.js';
import { Mailer } from '../mail/mailer.js';
import { registrationIsClosed } from './link-identity.js';
import {
  addRegistration,
  forgetRegistrations,
  renewCode,
  spendTry,
  sweepRegistrations,
  takeRegistration,
  type Waiting,
  waitingRegistrations,
} from './registrations.repository.js';
import { addRegisteredUser, lockEmail } from './users.repository.js';
import { NOBODY } from './users.js';

/** Six digits are a million: five tries of one code guess it in one of 200,000 registrations. */
const MAX_CODE_TRIES = 5;

/**
 * Registrations that wait for their email's verification. Anybody may register anybody's email, so each registration
 * has a code of its own, which lets in its own password alone. No answer reveals whether an email is known.
 */
@Injectable()
export class Registrations implements OnApplicationShutdown {
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    private readonly mailer: Mailer,
    @Inject(CONFIG) private readonly config: GatewayConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Sweep('gateway.registrations', EVERY_TEN_MINUTES)
  sweep(): Promise<void> {
    return sweepRegistrations(this.database);
  }

  async onApplicationShutdown(): Promise<void> {
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
      return addRegistration(tx, { id, email, passwordHash }, this.hashOf(id, code));
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
    // The try is spent before the code is looked at, so that many guesses at once have no more than one after the other.
    const isRight =
      found?.is_open === true && (await spendTry(this.database, found.id, MAX_CODE_TRIES)) && this.isCode(found, code)
        ? await this.database.transaction((tx) => this.admit(tx, email, found))
        : false;
    if (!isRight)
      throw new RoostError('VALIDATION_ERROR', 'code: is wrong or too old; ask for a new one', [
        { field: 'code', reason: 'invalid' },
      ]);
  }

  /** Sends a new code in place of the one before. Nobody waits for it: the time must not reveal whether there is one to send. */
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
    if (await renewCode(this.database, found.id, this.hashOf(found.id, code))) this.mailer.sendCode(email, code);
  }

  private async find(email: string, password: string | undefined): Promise<Waiting | undefined> {
    const waiting = await waitingRegistrations(this.database, email);
    if (password === undefined) return waiting[0];
    if (waiting.length === 0) await verify(await NOBODY, password);
    for (const row of waiting) if (await verify(row.password_hash, password)) return row;
    return undefined;
  }

  /** False when somebody was let in with this email meanwhile. All that waited for it goes. */
  private async admit(tx: Transaction, email: string, registration: Waiting): Promise<boolean> {
    await lockEmail(tx, email);
    if (!(await takeRegistration(tx, registration))) return false;
    await forgetRegistrations(tx, email);
    const user = await addRegisteredUser(tx, email, registration.password_hash);
    if (!user) return false;
    const { id, accountId } = user;
    const [target, actor] = [{ type: 'account', id: accountId }, { type: 'user', id } as const];
    await recordAudit(tx, { action: 'account.created', target, accountId, actor });
    return true;
  }

  private isCode({ id, code_hash }: Waiting, code: string): boolean {
    return code_hash !== null && this.sealer.isHashOf(code_hash, code, sealContext(id));
  }

  private hashOf(id: string, code: string): string {
    return this.sealer.keyedHash(code, sealContext(id));
  }
}

const sealContext = (id: string) => `registrations:${id}`;
const newCode = () => String(randomInt(1_000_000)).padStart(6, '0');
