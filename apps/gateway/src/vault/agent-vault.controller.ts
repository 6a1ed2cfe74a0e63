import { Bus } from '#lib/bus';
import * as contract from '#lib/contracts';
import { Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const GrantParams = AgentParams.extend({
  grantId: z
    .string()
    .refine((id) => {
      if (!z.uuid().safeParse(id).success) throw new contract.RoostError('NOT_FOUND', 'the agent has no such grant');
      return true;
    })
    .describe('The grant’s id.'),
});
type GrantParams = z.output<typeof GrantParams>;
type GrantChange = contract.VaultGrantChange;

/** Which secrets of the vault an agent may use. */
@Tag('Vault')
@Controller('v1/agent/:id/vault/grants')
export class AgentVaultController {
  constructor(private readonly bus: Bus) {}

  @Post()
  @Endpoint({
    access: 'account',
    summary: 'Let an agent use a secret',
    description:
      'With `env_name` that variable of the sandbox holds a placeholder, which is replaced where the secret’s hosts, methods, ' +
      'paths and placements match; elsewhere on those hosts the request is refused, and other hosts get the placeholder. A running sandbox gets the variable when it is next ' +
      'quiet. Without `env_name` the secret is put on every request that matches. 409 when the agent has the secret already, ' +
      'the variable is taken, or another secret goes to the same place. With `ask` each request waits for an approval of the ' +
      'kind `credential`: for a while at egress, then it is refused (403) and can be sent again.',
    responseDescription: 'The grant.',
    response: contract.VaultGrant,
    status: 201,
    errors: ['NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED'],
    example: { secret_id: '01890000-0000-7000-8000-000000000001', env_name: 'GITHUB_TOKEN' },
  })
  grant(@Param(AgentParams) { id }: AgentParams, @Body(contract.NewVaultGrant) body: contract.NewVaultGrant) {
    return this.bus.request(contract.createVaultGrant, { agentId: id, ...body });
  }

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List the secrets that an agent may use',
    description: 'With what it did with each: uses, and requests that were refused, with the last reason.',
    response: contract.listVaultGrants.output,
    errors: ['NOT_FOUND'],
  })
  list(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(contract.listVaultGrants, { agentId: id });
  }

  @Patch(':grantId')
  @Endpoint({
    access: 'account',
    summary: 'Change how an agent uses a secret',
    description: 'Whether a person is asked first. It counts for the next request; the placeholder stays.',
    response: contract.VaultGrant,
    errors: ['NOT_FOUND'],
    example: { ask: true },
  })
  update(@Param(GrantParams) { id, grantId }: GrantParams, @Body(contract.VaultGrantChange) body: GrantChange) {
    return this.bus.request(contract.updateVaultGrant, { agentId: id, grantId, ...body });
  }

  @Delete(':grantId')
  @Endpoint({
    access: 'account',
    summary: 'Revoke an agent’s use of a secret',
    description: 'No further request carries it; open connections that do end within two seconds.',
    response: contract.deleteVaultGrant.output,
    errors: ['NOT_FOUND'],
  })
  revoke(@Param(GrantParams) { id, grantId }: GrantParams) {
    return this.bus.request(contract.deleteVaultGrant, { agentId: id, grantId });
  }
}
