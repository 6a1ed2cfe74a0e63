import { isSameSecret } from '#lib/auth';
import { RoostError } from '#lib/contracts';
import { createHash, createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

type SignatureKind = 'secret' | 'github' | 'standard-webhooks';

/** Headers by which providers name a delivery, for those who are trusted with the secret itself. */
const ID_HEADERS = ['x-github-delivery', 'webhook-id', 'idempotency-key'];
const MAX_ID_CHARACTERS = 500;

/**
 * Checks that a webhook was sent by somebody who has one of the secrets, by the evidence it carries: the secret itself,
 * GitHub's HMAC of the raw body, or Standard Webhooks. Returns what a delivery that repeats this one is known by, null when
 * nothing names it. That is only what the evidence covers: whoever has a copy of a signed webhook could change anything
 * else and have it accepted again.
 * Errors: UNAUTHORIZED, the same for wrong and missing evidence.
 */
export function verifySignature(
  secrets: readonly string[],
  headers: Record<string, string>,
  body: Buffer,
): string | null {
  const by = kindOf(headers);
  if (by !== undefined && secrets.some((secret) => isValid[by](secret, headers, body)))
    return deliveryIdOf[by](headers, body);
  throw new RoostError(
    'UNAUTHORIZED',
    'send X-Webhook-Secret, X-Hub-Signature-256 or Standard Webhooks headers made with the trigger’s secret',
  );
}

function kindOf(headers: Record<string, string>): SignatureKind | undefined {
  if (headers['x-webhook-secret'] !== undefined) return 'secret';
  if (headers['x-hub-signature-256'] !== undefined) return 'github';
  return headers['webhook-signature'] === undefined ? undefined : 'standard-webhooks';
}

const isValid: Record<SignatureKind, (secret: string, headers: Record<string, string>, body: Buffer) => boolean> = {
  secret: (secret, headers) => isSameSecret(headers['x-webhook-secret'] ?? '', secret),
  github: (secret, headers, body) =>
    isSameSecret(
      headers['x-hub-signature-256'] ?? '',
      `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    ),
  'standard-webhooks': (secret, headers, body) => signingKeys(secret).some((key) => isSigned(key, headers, body)),
};

const deliveryIdOf: Record<SignatureKind, (headers: Record<string, string>, body: Buffer) => string | null> = {
  secret: (headers) => {
    const name = ID_HEADERS.find((header) => (headers[header] ?? '') !== '');
    return name === undefined ? null : named(name, headers[name]);
  },
  // Its id header is not signed, the body is: a delivery that GitHub repeats has the same bytes and so the same signature.
  github: (_, body) => `signed-body:${createHash('sha256').update(body).digest('hex')}`,
  'standard-webhooks': (headers) => named('webhook-id', headers['webhook-id']),
};

const named = (header: string, id = ''): string => `${header}:${id.slice(0, MAX_ID_CHARACTERS).replaceAll('\0', '')}`;

/**
 * The keys that a secret may stand for: what is base64 after `whs_`, as the libraries of Standard Webhooks read it, and
 * the bytes of its text, as they were documented before.
 */
function signingKeys(secret: string): Buffer[] {
  const raw = Buffer.from(secret, 'utf8');
  return secret.startsWith('whs_') ? [Buffer.from(secret.slice(4), 'base64'), raw] : [raw];
}

function isSigned(key: Buffer, headers: Record<string, string>, body: Buffer): boolean {
  try {
    new Webhook(key, { format: 'raw' }).verify(body, headers, { jsonParse: false });
    return true;
  } catch {
    return false; // the library throws for each of: no signature that fits, too old, too far ahead
  }
}
