import { RoostError } from '#lib/contracts';
import { guardedRequest, type GuardPolicy } from '#lib/net-guard';
import type { Logger } from '#lib/observability';
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { z } from 'zod';

/** The largest published sets, with certificates in them, have about 20 KiB. */
const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 100;
/** Who presents a token waits for it. */
const TIMEOUT_MS = 5_000;
/** How long keys are used before they are fetched anew, so that one that the issuer withdrew ends. */
const FRESH_MS = 10 * 60_000;
/** How long keys are used while the issuer does not answer. */
const USABLE_MS = 60 * 60_000;
/** Whatever tokens are sent, the issuer is asked no more often. */
const FETCH_AGAIN_AFTER_MS = 30_000;
/** A key that is weaker is refused; one that is larger costs more time than its issuer should take from us. */
const RSA_BITS = { min: 2_048, max: 8_192 };

const KeySet = z.object({ keys: z.array(z.unknown()).max(MAX_KEYS) });
const PublicKey = z.looseObject({
  kty: z.enum(['RSA', 'EC']),
  kid: z.string().max(256).optional(),
  use: z.literal('sig').optional(),
  alg: z.string().max(20).optional(),
});

interface IssuerKey {
  kid: string | undefined;
  alg: string | undefined;
  key: KeyObject;
}

export interface KeySource {
  jwksUrl: string;
  policy: GuardPolicy;
  dispatcher: Dispatcher;
  logger: Logger;
}

/**
 * The public keys of an issuer, fetched from its JWKS URL (RFC 7517) and kept. Not promised: that a key which the issuer
 * withdrew is refused at once; it is within `FRESH_MS`, or `USABLE_MS` while the issuer does not answer.
 */
export class IssuerKeys {
  private keys: IssuerKey[] = [];
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private fetching: Promise<void> | undefined;

  constructor(private readonly source: KeySource) {}

  /** The key for a token's head; undefined where the issuer has none. Errors: SERVICE_UNAVAILABLE. */
  async find(kid: string | undefined, alg: string): Promise<KeyObject | undefined> {
    const age = performance.now() - this.fetchedAt;
    if (age < FRESH_MS) {
      const known = this.choose(kid, alg);
      if (known) return known;
    }
    const isFetched = this.fetch();
    // A key that is known is not waited for; one that is not may be new.
    const known = age < USABLE_MS ? this.choose(kid, alg) : undefined;
    if (known) return known;
    await isFetched;
    if (performance.now() - this.fetchedAt >= USABLE_MS)
      throw new RoostError(
        'SERVICE_UNAVAILABLE',
        'the keys of the token’s issuer cannot be fetched; try again later',
        [],
        Math.ceil(FETCH_AGAIN_AFTER_MS / 1_000),
      );
    return this.choose(kid, alg);
  }

  /** By `kid`. A token without one is verified where there is no choice. */
  private choose(kid: string | undefined, alg: string): KeyObject | undefined {
    const usable = this.keys.filter((key) => key.alg === undefined || key.alg === alg);
    if (kid !== undefined) return usable.find((key) => key.kid === kid)?.key;
    return usable.length === 1 ? usable[0]?.key : undefined;
  }

  private fetch(): Promise<void> | undefined {
    if (this.fetching || performance.now() - this.triedAt < FETCH_AGAIN_AFTER_MS) return this.fetching;
    this.triedAt = performance.now();
    this.fetching = this.fetchNow()
      .catch((error: unknown) => {
        const { logger, jwksUrl } = this.source;
        logger.warn({ err: error, jwksUrl }, 'the keys of a trusted issuer could not be fetched');
      })
      .finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async fetchNow(): Promise<void> {
    const { jwksUrl: url, policy, dispatcher } = this.source;
    const headers = { accept: 'application/jwk-set+json, application/json' };
    const call = { url, headers, timeoutMs: TIMEOUT_MS, maxResponseBytes: MAX_BYTES };
    const { status, body, isTruncated } = await guardedRequest(call, policy, dispatcher);
    if (status !== 200) throw new Error(`the JWKS URL answered ${status}`);
    if (isTruncated) throw new Error(`the key set is larger than ${MAX_BYTES} bytes`);
    const { keys } = KeySet.parse(JSON.parse(body.toString('utf8')));
    this.keys = keys.flatMap((key) => usable(key));
    this.fetchedAt = performance.now();
  }
}

/** None for a key of another kind or purpose, or one that is too weak: the issuer's others still count. */
function usable(value: unknown): IssuerKey[] {
  const parsed = PublicKey.safeParse(value);
  if (!parsed.success) return [];
  const { kid, alg } = parsed.data;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: parsed.data as JsonWebKey, format: 'jwk' });
  } catch {
    return [];
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return bits !== undefined && (bits < RSA_BITS.min || bits > RSA_BITS.max) ? [] : [{ kid, alg, key }];
}
