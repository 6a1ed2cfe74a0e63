import { RoostError, Timestamp, wire } from '#lib/contracts';
import { Controller, Delete, Get, Post } from '@nestjs/common';
import { z } from 'zod';
import type { Identity } from './identity.js';
import { Body, Caller, Param } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { ApiKeys } from './api-keys.js';

const keyFields = {
  id: z.uuid(),
  uuid: z.uuid(),
  name: z.string(),
  prefix: z.string(),
  createdAt: Timestamp,
  lastUsedAt: Timestamp.nullable(),
};
const NewKey = wire({ name: z.string().min(1).max(100) });
type NewKey = z.output<typeof NewKey>;
const KeyParams = z.object({ keyUuid: z.string() });
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
    response: wire({ ...keyFields, key: z.string() }),
    status: 201,
    errors: ['QUOTA_EXCEEDED'],
  })
  async create(@Body(NewKey) body: NewKey, @Caller() { accountId }: Identity) {
    const key = await this.keys.create(accountId, body.name);
    return { ...key, uuid: key.id };
  }

  @Get()
  @Endpoint({
    access: 'signed-in',
    summary: 'List keys, never their secret',
    response: wire({ platformKeys: z.array(wire(keyFields)) }),
  })
  async list(@Caller() { accountId }: Identity) {
    return { platformKeys: (await this.keys.list(accountId)).map((key) => ({ ...key, uuid: key.id })) };
  }

  @Delete(':keyUuid')
  @Endpoint({
    access: 'signed-in',
    summary: 'Revoke a key, at once',
    response: wire({ message: z.string(), id: z.uuid() }),
    errors: ['NOT_FOUND'],
  })
  async revoke(@Param(KeyParams) { keyUuid }: KeyParams, @Caller() { accountId }: Identity) {
    const id = z.uuid().safeParse(keyUuid);
    if (!id.success) throw new RoostError('NOT_FOUND', 'there is no such key');
    await this.keys.revoke(accountId, id.data);
    return { message: 'the key is revoked', id: id.data };
  }
}
