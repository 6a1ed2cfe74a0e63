import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Endpoint, Tag } from '../../http/endpoint.js';
import { SigningKeys } from './signing-keys.js';

const PublicKey = z.looseObject({
  kty: z.string().describe('The kind of key.'),
  kid: z.string().describe('The key’s id, as tokens name it.'),
  alg: z.string().describe('The algorithm it signs with.'),
  use: z.string().describe('What it is for: `sig`.'),
});
const PublicKeys = z.object({ keys: z.array(PublicKey).describe('The keys that sign, or soon will.') });
/** Well below the hour for which a key is published before it signs. */
const MAX_AGE_SECONDS = 300;

/** docs/authentication.md, "Verify our tokens" */
@Tag('Accounts')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  @Get('jwks.json')
  @Endpoint({
    access: 'public',
    tenant: 'none',
    summary: 'The public keys that verify tokens of this installation (RFC 7517)',
    description:
      'For services of yours that take Roost’s tokens: check `iss` and `aud` = `roost`, `use` = `access`; fetch again for an unknown `kid`.',
    responseDescription: 'The keys; they may be kept for five minutes.',
    response: PublicKeys,
  })
  publicKeys(@Res({ passthrough: true }) reply: FastifyReply): z.output<typeof PublicKeys> {
    void reply.header('cache-control', `public, max-age=${MAX_AGE_SECONDS}`);
    return this.keys.jwks;
  }
}
