import type { Webhooks as WebhookRequest } from '../generated/types.gen.js';

/** The body of a webhook, distinguished by `type`. */
export type WebhookEvent = WebhookRequest['body'];
export type WebhookEventOf<T extends WebhookEvent['type']> = Extract<WebhookEvent, { type: T }>;

/** What is needed of the headers: those of `Request`, of Node's `IncomingMessage`, or a plain object. */
export type WebhookHeaders = { get(name: string): string | null } | Record<string, string | string[] | undefined>;

/** It was not sent by who has the secret, was changed on the way, or is too old. Answer 400 or 401 and do nothing else. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
}

export interface VerifyOptions {
  /** How old a webhook may be, or how far ahead its sender's clock; 300 s if not given. */
  toleranceSeconds?: number;
  /** Milliseconds since 1970; the clock if not given. */
  now?: number;
}

/** A request with more signatures is none of ours: while a secret is changed there are two. */
const MAX_SIGNATURES = 16;

/**
 * The event of a webhook whose signature is right (Standard Webhooks). `payload` must be the body as it came, before any
 * parsing: one space more and the signature is wrong. Several secrets are tried in order, for the time of a change.
 * The comparison takes the same time wherever it fails. Errors: WebhookVerificationError.
 */
export async function verifyWebhook(
  payload: string | Uint8Array | ArrayBuffer,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  { toleranceSeconds = 300, now = Date.now() }: VerifyOptions = {},
): Promise<WebhookEvent> {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
    headerOf(headers, `webhook-${name}`),
  );
  if (!id || !timestamp || !signatures)
    throw new WebhookVerificationError('a header is missing: webhook-id, webhook-timestamp and webhook-signature');
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1_000 - Number(timestamp)) > toleranceSeconds)
    throw new WebhookVerificationError(
      'webhook-timestamp is too far from now: the webhook is old, or a clock is wrong',
    );
  const body = typeof payload === 'string' ? new TextEncoder().encode(payload) : new Uint8Array(payload);
  const signed = signedBytes(id, timestamp, body);
  const given = signatures.split(' ').slice(0, MAX_SIGNATURES).flatMap(v1Bytes);
  for (const one of typeof secret === 'string' ? [secret] : secret) {
    const key = await keyOf(one, 'verify');
    for (const signature of given) if (await crypto.subtle.verify('HMAC', key, signature, signed)) return eventOf(body);
  }
  throw new WebhookVerificationError('the signature is wrong: another secret, or the body was changed on the way');
}

/** The headers of a webhook, signed as Roost signs it: for tests, and for what passes webhooks on. */
export async function signWebhook(
  payload: string,
  secret: string,
  { id, now = Date.now() }: { id: string; now?: number },
): Promise<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const timestamp = String(Math.floor(now / 1_000));
  const signed = signedBytes(id, timestamp, new TextEncoder().encode(payload));
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', await keyOf(secret, 'sign'), signed));
  const text = btoa(String.fromCharCode(...signature));
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${text}` };
}

function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return (headers as Headers).get(name) ?? undefined;
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof found === 'string' ? found : Array.isArray(found) ? found[0] : undefined;
}

function signedBytes(id: string, timestamp: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(head.length + body.length);
  signed.set(head);
  signed.set(body, head.length);
  return signed;
}

function v1Bytes(signature: string): Uint8Array<ArrayBuffer>[] {
  const bytes = signature.startsWith('v1,') ? fromBase64(signature.slice(3)) : undefined;
  return bytes ? [bytes] : [];
}

async function keyOf(secret: string, use: 'sign' | 'verify') {
  const bytes = fromBase64(secret.replace(/^whsec_/, ''));
  if (!bytes || bytes.length === 0)
    throw new WebhookVerificationError('the secret must be the whsec_… that Roost showed when the endpoint was made');
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [use]);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // Not base64: the caller says what that means.
    return undefined;
  }
}

function eventOf(body: Uint8Array): WebhookEvent {
  return JSON.parse(new TextDecoder().decode(body)) as WebhookEvent;
}
