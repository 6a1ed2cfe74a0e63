import { RoostError, Timestamp, wire } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { ApiKeys } from './api-keys.js';

const common = { access: 'signed-in', tag: 'Accounts' } as const;
const keyFields = {
  id: z.uuid(),
  uuid: z.uuid(),
  name: z.string(),
  prefix: z.string(),
  createdAt: Timestamp,
  lastUsedAt: Timestamp.nullable(),
};
const NewKey = wire({ name: z.string().min(1).max(100) });
const KeyParams = z.object({ keyUuid: z.string() });

/** spec: 00-overview, "Platform API keys" */
@Controller('auth/platform_keys')
export class PlatformKeysController {
  constructor(private readonly keys: ApiKeys) {}

  @Endpoint({
    ...common,
    method: 'POST',
    path: '',
    summary: 'Create a key; it is shown this once',
    body: NewKey,
    response: wire({ ...keyFields, key: z.string() }),
    status: 201,
    errors: ['QUOTA_EXCEEDED'],
  })
  async create({ body, accountId }: Call<unknown, unknown, z.output<typeof NewKey>>) {
    const key = await this.keys.create(accountId, body.name);
    return { ...key, uuid: key.id };
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: '',
    summary: 'List keys, never their secret',
    response: wire({ platformKeys: z.array(wire(keyFields)) }),
  })
  async list({ accountId }: Call) {
    return { platformKeys: (await this.keys.list(accountId)).map((key) => ({ ...key, uuid: key.id })) };
  }

  @Endpoint({
    ...common,
    method: 'DELETE',
    path: ':keyUuid',
    summary: 'Revoke a key, at once',
    params: KeyParams,
    response: wire({ message: z.string(), id: z.uuid() }),
    errors: ['NOT_FOUND'],
  })
  async revoke({ params, accountId }: Call<z.output<typeof KeyParams>>) {
    const id = z.uuid().safeParse(params.keyUuid);
    if (!id.success) throw new RoostError('NOT_FOUND', 'there is no such key');
    await this.keys.revoke(accountId, id.data);
    return { message: 'the key is revoked', id: id.data };
  }
}
