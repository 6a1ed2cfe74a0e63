import type { Sealer } from '#lib/auth';
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

const CACHED_SECRETS = 10_000;

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
  private readonly signers = new Map<string, Webhook>();

  constructor(private readonly sealer: Sealer) {}

  create(): string {
    return `whsec_${randomBytes(32).toString('base64')}`;
  }

  seal(secret: string, endpointId: string): string {
    return this.sealer.seal(secret, `endpoints:${endpointId}`);
  }

  /** Whether an endpoint's sealed secret is this one. */
  isSame(secret: string, endpointId: string, sealed: string): boolean {
    return this.sealer.open(sealed, `endpoints:${endpointId}`) === secret;
  }

  /** Standard Webhooks: `v1,<base64 HMAC-SHA256 of id.timestamp.body>`, one for each secret, separated by spaces. */
  sign(endpointId: string, sealed: string[], webhookId: string, at: Date, body: string): string {
    return sealed.map((secret) => this.signer(endpointId, secret).sign(webhookId, at, body)).join(' ');
  }

  private signer(endpointId: string, sealed: string): Webhook {
    const known = this.signers.get(sealed);
    if (known) return known;
    const signer = new Webhook(this.sealer.open(sealed, `endpoints:${endpointId}`));
    if (this.signers.size >= CACHED_SECRETS) this.signers.clear();
    this.signers.set(sealed, signer);
    return signer;
  }
}
