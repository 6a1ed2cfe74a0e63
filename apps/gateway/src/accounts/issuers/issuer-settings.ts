import { z } from 'zod';

const MAX_ISSUERS = 20;
/** Signatures by a private key that only the issuer has; what verifies by a shared secret (HS256) is none. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const;

/** One issuer whose tokens are trusted, as an operator writes it. */
const TrustedIssuer = z
  .strictObject({
    /** Exactly what its tokens name in `iss`. */
    issuer: z.string().min(1).max(2_048),
    /** What its tokens for this Roost name in `aud`. */
    audience: z.string().min(1).max(2_048),
    jwks_url: z.url({ protocol: /^https?$/ }).max(2_048),
    algorithms: z
      .array(z.enum(ALGORITHMS))
      .min(1)
      .default([...ALGORITHMS]),
    /** Of which domains it may state emails; any if not given. */
    email_domains: z.array(z.string().toLowerCase().min(1).max(253)).min(1).optional(),
    /** Whether people whom nobody here knows get an account. */
    creates_accounts: z.boolean().default(false),
    /** Whether such an account has the AI-agents feature. */
    agents_enabled: z.boolean().default(false),
  })
  .refine(({ issuer }) => !RESERVED.includes(issuer), 'issuer: this name is taken by Roost itself');
export type TrustedIssuer = z.output<typeof TrustedIssuer>;

/** Names under which identities of other kinds are kept. */
const RESERVED = ['roost', 'google', 'github'];

/** `ROOST_TRUSTED_ISSUERS`: a JSON list. */
export const TrustedIssuersSetting = z
  .string()
  .default('[]')
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue('must be a JSON list of issuers (docs/authentication.md)');
      return z.NEVER;
    }
  })
  .pipe(z.array(TrustedIssuer).max(MAX_ISSUERS))
  .refine(
    (issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length,
    'an issuer is listed twice',
  );
