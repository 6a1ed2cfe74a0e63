import { Done, RoostError, Timestamp, wire } from '#lib/contracts';
import { Controller, Delete, Get, Post } from '@nestjs/common';
import { z } from 'zod';
import type { Identity } from './identity.js';
import { Body, Caller, Param } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { ApiKeys } from './api-keys.js';

const keyFields = {
  id: z.uuid().describe('The key’s id.'),
  uuid: z.uuid().describe('The same as `id`.'),
  name: z.string().describe('What it is called.'),
  prefix: z.string().describe('How it begins, to tell keys apart.'),
  createdAt: Timestamp.describe('When it was made.'),
  lastUsedAt: Timestamp.nullable().describe('When it was last used; null when it never was.'),
};
const NewKey = wire({
  name: z
    .string()
    .min(1)
    .max(100)
    .meta({ description: 'What it is called, such as who uses it.', examples: ['ci'] }),
});
type NewKey = z.output<typeof NewKey>;
const KeyParams = z.object({ keyUuid: z.string().describe('The key’s id.') });
type KeyParams = z.output<typeof KeyParams>;

/** spec: 00-overview, "Platform API keys" */
@Tag('Accounts')
@Controller('auth/platform_keys')
export class PlatformKeysController {
  constructor(private readonly keys: ApiKeys) {}

  @Post()
  @Endpoint({
    access: 'signed-in',
    summary: 'Create a key; it is shown this once',
    description:
      'A key is good until it is revoked and may do all that the account may, but change passwords and delete the account.',
    responseDescription: 'The key.',
    response: wire({ ...keyFields, key: z.string().describe('The key, `roost_sk_…`. Shown this once.') }),
    status: 201,
    errors: ['QUOTA_EXCEEDED'],
  })
  async create(@Body(NewKey) body: NewKey, @Caller() caller: Identity) {
    const key = await this.keys.create(caller.accountId, body.name, caller);
    return { ...key, uuid: key.id };
  }

  @Get()
  @Endpoint({
    access: 'signed-in',
    summary: 'List keys, never their secret',
    description: 'With when each was last used.',
    responseDescription: 'The keys.',
    response: wire({ platformKeys: z.array(wire(keyFields)).describe('The keys of the account.') }),
  })
  async list(@Caller() { accountId }: Identity) {
    return { platformKeys: (await this.keys.list(accountId)).map((key) => ({ ...key, uuid: key.id })) };
  }

  @Delete(':keyUuid')
  @Endpoint({
    access: 'signed-in',
    summary: 'Revoke a key, at once',
    description: 'The next request with it is 401; open streams end within two seconds.',
    responseDescription: 'It is revoked.',
    response: wire({ message: Done, id: keyFields.id }),
    errors: ['NOT_FOUND'],
  })
  async revoke(@Param(KeyParams) { keyUuid }: KeyParams, @Caller() { accountId }: Identity) {
    const id = z.uuid().safeParse(keyUuid);
    if (!id.success) throw new RoostError('NOT_FOUND', 'there is no such key');
    await this.keys.revoke(accountId, id.data);
    return { message: 'the key is revoked', id: id.data };
  }
}
