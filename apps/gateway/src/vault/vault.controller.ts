import { Bus } from '#lib/bus';
import * as contract from '#lib/contracts';
import { Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';

/** What is no id at all is answered as an unknown one is. */
const SecretParams = z.looseObject({
  id: z
    .string()
    .refine((id) => {
      if (!z.uuid().safeParse(id).success) throw new contract.RoostError('NOT_FOUND', 'there is no such secret');
      return true;
    })
    .describe('The secret’s id.'),
});
type SecretParams = z.output<typeof SecretParams>;
const PageQuery = contract.wire({ ...contract.pageQuery });
type PageQuery = z.output<typeof PageQuery>;

@Tag('Vault')
@Controller('v1/vault/secrets')
export class VaultController {
  constructor(private readonly bus: Bus) {}

  @Post()
  @Endpoint({
    access: 'account',
    summary: 'Put a secret into the vault',
    description:
      'No agent may use it before it is granted. Its value is sealed and never returned. It is put on HTTPS requests to ' +
      'its `hosts` alone, when they leave the sandbox. Names under which anybody can have a host, such as `*.github.io`, are refused.',
    responseDescription: 'The secret, without its value.',
    response: contract.VaultSecret,
    status: 201,
    errors: ['ALREADY_EXISTS', 'QUOTA_EXCEEDED'],
    example: {
      name: 'github',
      hosts: ['api.github.com'],
      methods: ['GET'],
      path_prefixes: ['/repos/acme'],
      credential: { kind: 'bearer', token: 'github_pat_EXAMPLE' },
    },
  })
  create(@Body(contract.NewVaultSecret) body: contract.NewVaultSecret) {
    return this.bus.request(contract.createVaultSecret, body);
  }

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List the secrets of the vault',
    description: 'By name, with when and by which agent each was last used; never their values.',
    response: contract.listVaultSecrets.output,
  })
  list(@Query(PageQuery) query: PageQuery) {
    return this.bus.request(contract.listVaultSecrets, query);
  }

  @Get(':id')
  @Endpoint({
    access: 'account',
    summary: 'Get a secret',
    description: 'Never its value.',
    response: contract.VaultSecret,
    errors: ['NOT_FOUND'],
  })
  get(@Param(SecretParams) { id }: SecretParams) {
    return this.bus.request(contract.getVaultSecret, { secretId: id });
  }

  @Patch(':id')
  @Endpoint({
    access: 'account',
    summary: 'Change or rotate a secret',
    description:
      'Fields that are not named stay. With a new `credential` the next request of each agent carries it; agents keep their ' +
      'placeholders. 409 when an agent would then have two secrets for the same place of a request.',
    response: contract.VaultSecret,
    errors: ['NOT_FOUND', 'CONFLICT'],
    example: { credential: { kind: 'bearer', token: 'github_pat_NEWER' } },
  })
  update(
    @Param(SecretParams) { id }: SecretParams,
    @Body(contract.VaultSecretChange) body: contract.VaultSecretChange,
  ) {
    return this.bus.request(contract.updateVaultSecret, { secretId: id, ...body });
  }

  @Delete(':id')
  @Endpoint({
    access: 'account',
    summary: 'Delete a secret',
    description: 'With its grants: no further request carries it.',
    response: contract.deleteVaultSecret.output,
    errors: ['NOT_FOUND'],
  })
  remove(@Param(SecretParams) { id }: SecretParams) {
    return this.bus.request(contract.deleteVaultSecret, { secretId: id });
  }

  @Get(':id/grants')
  @Endpoint({
    access: 'account',
    summary: 'List the agents that may use a secret',
    description: 'With what each did with it: uses, and requests that were refused.',
    response: contract.listVaultGrantsOfSecret.output,
    errors: ['NOT_FOUND'],
  })
  secretGrants(@Param(SecretParams) { id }: SecretParams) {
    return this.bus.request(contract.listVaultGrantsOfSecret, { secretId: id });
  }
}
