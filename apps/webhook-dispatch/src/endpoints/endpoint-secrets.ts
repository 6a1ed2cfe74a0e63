import type { Sealer } from '#lib/auth';
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

const CACHED_SECRETS = 10_000;
const PREFIX = 'whsec_';

/** The columns that hold secrets, for a change of the master key. */
export const sealedEndpointSecrets = ['sealed_secret', 'sealed_previous_secret'].map((column) => ({
  table: 'endpoints',
  column,
  id: 'id::text',
  context: 'endpoints',
}));

/** Signing secrets of endpoints: made, sealed for their row, used. */
export class EndpointSecrets {
  /** Opening a secret costs more than signing with it. */
  private readonly keys = new Map<string, KeyObject>();

  constructor(private readonly sealer: Sealer) {}

  create(): string {
    return `${PREFIX}${randomBytes(32).toString('base64')}`;
  }

  seal(secret: string, endpointId: string): string {
    return this.sealer.seal(secret, `endpoints:${endpointId}`);
  }

  /** Whether an endpoint's sealed secret is this one. */
  isSame(secret: string, endpointId: string, sealed: string): boolean {
    return this.sealer.open(sealed, `endpoints:${endpointId}`) === secret;
  }

  /**
   * Standard Webhooks: `v1,<base64 HMAC-SHA256 of id.timestamp.body>`, one for each secret, separated by spaces. By Node's
   * own HMAC, a quarter of the time of `standardwebhooks`, which is JavaScript.
   */
  sign(endpointId: string, sealed: string[], webhookId: string, at: Date, body: string): string {
    const signed = `${webhookId}.${Math.floor(at.getTime() / 1_000)}.${body}`;
    return sealed
      .map((secret) => `v1,${createHmac('sha256', this.key(endpointId, secret)).update(signed).digest('base64')}`)
      .join(' ');
  }

  private key(endpointId: string, sealed: string): KeyObject {
    const known = this.keys.get(sealed);
    if (known) return known;
    const secret = this.sealer.open(sealed, `endpoints:${endpointId}`);
    const key = createSecretKey(Buffer.from(secret.slice(PREFIX.length), 'base64'));
    if (this.keys.size >= CACHED_SECRETS) this.keys.clear();
    this.keys.set(sealed, key);
    return key;
  }
}
