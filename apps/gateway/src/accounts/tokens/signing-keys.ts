import { Sealer } from '#lib/auth';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { type KeyRow, SigningKeysRepository } from './signing-keys.repository.js';

export const ALGORITHM = 'ES256';
/** Of the versions before, whose tokens are accepted until they end. */
export const EARLIER_ALGORITHM = 'EdDSA';
const LOAD_EVERY_MS = 3_600_000;
/** Whatever tokens are sent, the database is asked for new keys no more often. */
const LOAD_AGAIN_AFTER_MS = 1_000;

export type PublicKey = JWK & { kty: string; kid: string; alg: string; use: string };

export interface Signer {
  kid: string;
  algorithm: typeof ALGORITHM | typeof EARLIER_ALGORITHM;
  key: CryptoKey | Uint8Array;
}

/** The keys of this installation's tokens: made at first start, replaced every 30 days, sealed in the database. */
@Injectable()
export class SigningKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private loadedAt = -Infinity;
  private loading: Promise<void> | undefined;
  private current = new Map<string, KeyObject>();
  private published: { keys: PublicKey[] } = { keys: [] };
  private earlierKeys: { keys: PublicKey[] } = { keys: [] };
  private signing: Signer | undefined;

  constructor(
    private readonly repository: SigningKeysRepository,
    private readonly sealer: Sealer,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.load();
    // A key that has become old is replaced while we run, too. One that fails is made up for by the next.
    this.timer = setInterval(() => void this.load().catch(() => undefined), LOAD_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** The public keys, by which anybody can verify our tokens. */
  get jwks(): { keys: PublicKey[] } {
    return this.published;
  }

  /** Those of the versions before, for tokens that are not over yet. */
  get earlier(): JSONWebKeySet {
    return this.earlierKeys;
  }

  get signer(): Signer {
    if (!this.signing) throw new Error('the signing keys are not loaded');
    return this.signing;
  }

  find(kid: string): KeyObject | undefined {
    return this.current.get(kid);
  }

  /** Another replica may have made a token's key since we loaded. */
  async loadIfUnknown(kid: string): Promise<void> {
    const isKnown = this.published.keys.some((key) => key.kid === kid);
    if (!isKnown && performance.now() - this.loadedAt > LOAD_AGAIN_AFTER_MS) await this.load();
  }

  private load(): Promise<void> {
    this.loadedAt = performance.now();
    return (this.loading ??= this.loadNow().finally(() => (this.loading = undefined)));
  }

  private async loadNow(): Promise<void> {
    const { current, earlier } = await this.repository.load(() => this.make());
    const publicOf = ({ kid, public_key }: KeyRow, alg: string): PublicKey => ({
      ...public_key,
      kty: public_key.kty ?? '',
      kid,
      alg,
      use: 'sig',
    });
    this.current = new Map(
      current.map((row) => [row.kid, createPublicKey({ key: row.public_key as JsonWebKey, format: 'jwk' })]),
    );
    this.earlierKeys = { keys: earlier.map((row) => publicOf(row, EARLIER_ALGORITHM)) };
    this.published = { keys: [...current.map((row) => publicOf(row, ALGORITHM)), ...this.earlierKeys.keys] };
    const signing = current.find((row) => row.may_sign);
    if (signing) this.signing = await this.signerOf(signing, ALGORITHM, 'token_keys');
    else if (earlier[0]) this.signing = await this.signerOf(earlier[0], EARLIER_ALGORITHM, 'signing_keys');
  }

  private async signerOf(row: KeyRow, algorithm: Signer['algorithm'], table: string): Promise<Signer> {
    const { kid } = row;
    if (this.signing?.kid === kid) return this.signing;
    const privateKey = JSON.parse(this.sealer.open(row.sealed_private_key, `${table}:${kid}`)) as JWK;
    return { kid, algorithm, key: await importJWK(privateKey, algorithm) };
  }

  private async make(): Promise<KeyRow> {
    const pair = await generateKeyPair(ALGORITHM, { extractable: true });
    const public_key = await exportJWK(pair.publicKey);
    const kid = await calculateJwkThumbprint(public_key);
    const sealed = this.sealer.seal(JSON.stringify(await exportJWK(pair.privateKey)), `token_keys:${kid}`);
    return { kid, public_key, sealed_private_key: sealed };
  }
}
