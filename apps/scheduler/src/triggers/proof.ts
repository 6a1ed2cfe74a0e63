import { isSameSecret } from '#lib/auth';
import { RoostError } from '#lib/contracts';
import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/**
 * Checks that a webhook was sent by somebody who has one of the secrets, by the proof it carries: the secret itself,
 * GitHub's HMAC of the raw body, or Standard Webhooks (whose key is the secret's text, bytes as they are).
 * Errors: UNAUTHORIZED, the same for a wrong and a missing proof.
 */
export function checkProof(secrets: readonly string[], headers: Record<string, string>, body: Buffer): void {
  if (!secrets.some((secret) => isProven(secret, headers, body)))
    throw new RoostError(
      'UNAUTHORIZED',
      'send X-Webhook-Secret, X-Hub-Signature-256 or Standard Webhooks headers made with the trigger’s secret',
    );
}

function isProven(secret: string, headers: Record<string, string>, body: Buffer): boolean {
  const plain = headers['x-webhook-secret'];
  if (plain !== undefined) return isSameSecret(plain, secret);
  const signature = headers['x-hub-signature-256'];
  if (signature !== undefined)
    return isSameSecret(signature, `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  if (headers['webhook-signature'] === undefined) return false;
  try {
    new Webhook(secret, { format: 'raw' }).verify(body, headers);
    return true;
  } catch {
    return false; // the library throws for each of: no signature that fits, too old, too far ahead
  }
}
