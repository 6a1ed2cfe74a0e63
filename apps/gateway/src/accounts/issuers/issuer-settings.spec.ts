import { describe, expect, it } from 'vitest';
import { TrustedIssuersSetting } from './issuer-settings.js';

const one = { issuer: 'https://idp.example', audience: 'roost', jwks_url: 'https://idp.example/jwks' };
const isTaken = (...issuers: object[]) => TrustedIssuersSetting.safeParse(JSON.stringify(issuers)).success;

describe('ROOST_TRUSTED_ISSUERS', () => {
  it('is none by default, and takes a list', () => {
    expect(TrustedIssuersSetting.parse(undefined)).toEqual([]);
    expect(isTaken(one, { ...one, issuer: 'https://other.example', email_domains: ['example.org'] })).toBe(true);
  });

  it.each<[string, object[]]>([
    ['an issuer without audience', [{ issuer: one.issuer, jwks_url: one.jwks_url }]],
    ['an issuer twice', [one, one]],
    ['our own name', [{ ...one, issuer: 'roost' }]],
    ['a name of another way to sign in', [{ ...one, issuer: 'google' }]],
    ['a shared secret', [{ ...one, algorithms: ['HS256'] }]],
    ['no signature', [{ ...one, algorithms: ['none'] }]],
    ['no algorithm', [{ ...one, algorithms: [] }]],
    ['a URL of files', [{ ...one, jwks_url: 'file:///etc/passwd' }]],
    ['a field that is misspelt', [{ ...one, email_domain: ['example.org'] }]],
    ['too many', Array.from({ length: 21 }, (_, n) => ({ ...one, issuer: `https://${n}.example` }))],
  ])('refuses %s', (_, issuers) => expect(isTaken(...issuers)).toBe(false));

  it('refuses what is no list', () => {
    for (const text of ['{', '{}', '"x"', 'null']) expect(TrustedIssuersSetting.safeParse(text).success).toBe(false);
  });
});
