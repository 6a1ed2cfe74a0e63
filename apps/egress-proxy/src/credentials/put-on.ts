import type { EgressCredential } from '#lib/contracts';
import aws4 from 'aws4';
import { basicValue } from './placeholders.js';
import { type RequestHead, setHeader, valuesOf } from './request-head.js';

/** A credential whose value is known: `dynamic` ones have become bearer tokens. */
export type StaticCredential = Exclude<EgressCredential, { kind: 'dynamic' }>;

/** What a placeholder becomes. Undefined: the whole request is signed instead. */
export function substituteOf(credential: StaticCredential): string | undefined {
  if (credential.kind === 'bearer') return credential.token;
  if (credential.kind === 'basic') return credential.password;
  return credential.kind === 'aws_sigv4' ? undefined : credential.value;
}

/** Every text that must not come back. */
export function secretsOf(credential: StaticCredential): string[] {
  switch (credential.kind) {
    case 'bearer':
      return [credential.token];
    case 'basic':
      return [credential.password, Buffer.from(`${credential.username}:${credential.password}`).toString('base64')];
    case 'aws_sigv4':
      return [credential.secretAccessKey, ...(credential.sessionToken ? [credential.sessionToken] : [])];
    default:
      return [credential.value];
  }
}

/** Puts a credential on a request by its kind, in the place of what the request brings of that header or parameter. */
export function putOn(
  head: RequestHead,
  credential: StaticCredential,
  body: Buffer | undefined,
  authority: string,
): void {
  switch (credential.kind) {
    case 'bearer':
      return setHeader(head, 'authorization', `Bearer ${credential.token}`);
    case 'basic':
      return setHeader(
        head,
        'authorization',
        basicValue(Buffer.from(`${credential.username}:${credential.password}`).toString('latin1')),
      );
    case 'header':
      return setHeader(head, credential.name.toLowerCase(), credential.value);
    case 'query':
      head.path = withParameter(head.path, credential.name, credential.value);
      return;
    case 'aws_sigv4':
      return sign(head, credential, body, authority);
  }
}

function withParameter(path: string, name: string, value: string): string {
  const [plain = '', ...query] = path.split('?');
  const isOther = (part: string) => part !== '' && decoded(part.split('=')[0] ?? '') !== name;
  const others = query.join('?').split('&').filter(isOther);
  return `${plain}?${[...others, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`].join('&')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

const contentHash = 'x-amz-content-sha256';

/** Whether signing needs the body: where the program says no hash of it, and the service takes no request without. */
export function needsBody(head: RequestHead, credential: StaticCredential): boolean {
  return credential.kind === 'aws_sigv4' && credential.service !== 's3' && !hashOf(head);
}

/** What the program says of its body that does not depend on a key: its hash, or that it has none. */
function hashOf(head: RequestHead): string | undefined {
  return valuesOf(head, contentHash).find((value) =>
    /^([0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER)$/.test(value),
  );
}

/** Each piece of such a body holds a signature by the program's own key, which is a placeholder. */
export function isSignedInPieces(headers: RequestHead['headers']): boolean {
  return headers.some(([name, value]) => name === contentHash && /^STREAMING-AWS4-/i.test(value));
}

/** Signs anew: what the program signed with its placeholder is dropped. Source: AWS Signature Version 4, by aws4. */
function sign(
  head: RequestHead,
  credential: Extract<StaticCredential, { kind: 'aws_sigv4' }>,
  body: Buffer | undefined,
  authority: string,
): void {
  const dropped = ['authorization', 'x-amz-date', 'x-amz-security-token', 'date'];
  head.headers = head.headers.filter(([name]) => !dropped.includes(name));
  const hash = hashOf(head) ?? (credential.service === 's3' ? 'UNSIGNED-PAYLOAD' : undefined);
  const signedOnes = head.headers.filter(
    ([name]) => (name.startsWith('x-amz-') && name !== contentHash) || name === 'content-type',
  );
  const signed = aws4.sign(
    {
      method: head.method,
      path: head.path,
      service: credential.service,
      region: credential.region,
      headers: { ...Object.fromEntries(signedOnes), host: authority, ...(hash ? { [contentHash]: hash } : {}) },
      ...(body ? { body } : {}),
    },
    {
      accessKeyId: credential.accessKeyId,
      secretAccessKey: credential.secretAccessKey,
      ...(credential.sessionToken ? { sessionToken: credential.sessionToken } : {}),
    },
  );
  for (const [name, value] of Object.entries(signed.headers ?? {})) {
    const key = name.toLowerCase();
    if (key !== 'host' && key !== 'content-length') setHeader(head, key, String(value));
  }
  if (signed.path) head.path = signed.path;
}
