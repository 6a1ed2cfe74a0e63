import { recordAudit } from '#lib/audit';
import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { EVERY_TEN_MINUTES, Sweep } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';
import { hash, randomBytes } from 'node:crypto';
import type { Identity } from '../identity.js';
import { addLink, removeLinksBeyond, sweepLinks, takeLink } from './sign-in-links.repository.js';

/** Long enough to switch from the terminal to the browser, over a cup of coffee. */
const LINK_MINUTES = 15;
/** Of an account, not used yet: each start of `npm start` makes one. */
const MAX_LINKS = 20;

/** Links that sign a browser on this machine in without typing a key: used once, by whoever holds it. */
@Injectable()
export class SignInLinks {
  constructor(private readonly database: Database) {}

  @Sweep('gateway.sign-in-links', EVERY_TEN_MINUTES)
  sweep(): Promise<void> {
    return sweepLinks(this.database);
  }

  /** Errors: ACCESS_DENIED (not by an API key: whoever signed in does it again). */
  async create({ accountId, credential }: Identity): Promise<{ code: string; expiresAt: Date }> {
    if (credential.kind !== 'key')
      throw new RoostError('ACCESS_DENIED', 'only an API key makes links: send Authorization: Bearer roost_sk_…');
    const code = randomBytes(32).toString('base64url');
    const link = { codeHash: hashOf(code), accountId, keyHash: credential.hash, minutes: LINK_MINUTES };
    const expiresAt = await this.database.transaction(async (tx) => {
      const ends = await addLink(tx, link);
      await removeLinksBeyond(tx, accountId, MAX_LINKS);
      await recordAudit(tx, { action: 'sign_in_link.created', target: { type: 'account', id: accountId } });
      return ends;
    });
    return { code, expiresAt };
  }

  /** Uses the link up. Errors: UNAUTHORIZED (unknown, used, old, its key revoked). */
  async use(code: string): Promise<{ accountId: string; keyHash: string }> {
    const link = await takeLink(this.database, hashOf(code));
    if (!link)
      throw new RoostError(
        'UNAUTHORIZED',
        `this link was used already, or is older than ${LINK_MINUTES} minutes: start Roost again for a new one, or sign in with the API key`,
      );
    return link;
  }
}

const hashOf = (code: string) => hash('sha256', code);
