import { z } from 'zod';

/** Tokens of identity providers hold groups and roles; all headers of a request are at most 16 KiB. */
const MAX_TOKEN_BYTES = 8_192;
const JWT = /^([\w-]+)\.([\w-]+)\.[\w-]+$/;

const Header = z.object({
  alg: z.string().max(20),
  kid: z.string().max(256).optional(),
  // RFC 7515, 4.1.11: what must be understood and is not refuses the token. Nothing is understood here.
  crit: z.undefined().optional(),
});
const Issued = z.object({ iss: z.string().max(2_048) });

/** What a token states before anything of it is verified: only enough to find the key to verify it by. */
export interface TokenHead {
  alg: string;
  kid: string | undefined;
  iss: string;
}

/** Undefined for what is no signed token. Keys that a token brings along (`jwk`, `jku`, `x5c`, `x5u`) are never read. */
export function headOf(token: string): TokenHead | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined;
  const [, header = '', payload = ''] = JWT.exec(token) ?? [];
  const head = Header.safeParse(jsonIn(header));
  const issued = Issued.safeParse(jsonIn(payload));
  if (!head.success || !issued.success) return undefined;
  return { alg: head.data.alg, kid: head.data.kid, iss: issued.data.iss };
}

function jsonIn(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
