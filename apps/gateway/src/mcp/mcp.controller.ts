import { Bus } from '#lib/bus';
import * as contract from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';

/** What is no id at all is answered as an unknown one is. */
const Id = z.string().refine((id) => {
  if (!z.uuid().safeParse(id).success) throw new contract.RoostError('NOT_FOUND', 'there is no such MCP server');
  return true;
});
const Params = z.looseObject({ id: Id });
const AccessParams = z.looseObject({ id: Id, agentId: Id });
const AuthorizeQuery = contract.wire({ redirectUri: z.url().max(2_048).optional() });
const CallbackBody = contract.wire({ code: z.string().min(1).max(4_096), state: z.string().min(1).max(500) });
const AccessBody = contract.wire({
  agentId: contract.AgentId,
  accessMode: z.enum(['all', 'selected']).default('all'),
  tools: z.array(z.string().min(1).max(200)).max(200).default([]),
});
const PageQuery = contract.wire({ ...contract.pageQuery });

type ById = Call<z.output<typeof Params>>;
const common = { access: 'account', tag: 'MCP' } as const;
const byId = { ...common, params: Params };

/** spec: runtime.md, "MCP" */
@Controller('v1/mcp/servers')
export class McpController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    ...common,
    method: 'POST',
    path: '',
    summary: 'Register an MCP server',
    body: contract.NewMcpServer,
    example: { name: 'files', command: 'mcp-server-filesystem', args: ['/workspace'] },
    response: contract.McpServer,
    status: 201,
    errors: ['ALREADY_EXISTS', 'QUOTA_EXCEEDED'],
  })
  create({ body }: Call<unknown, unknown, contract.NewMcpServer>) {
    return this.bus.request(contract.createMcpServer, body);
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: '',
    summary: 'List MCP servers',
    query: PageQuery,
    response: contract.listMcpServers.output,
  })
  list({ query }: Call<unknown, z.output<typeof PageQuery>>) {
    return this.bus.request(contract.listMcpServers, query);
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: ':id',
    summary: 'Get an MCP server',
    response: contract.McpServer,
    errors: ['NOT_FOUND'],
  })
  get({ params }: ById) {
    return this.bus.request(contract.getMcpServer, { serverId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'PUT',
    path: ':id',
    summary: 'Replace an MCP server',
    body: contract.NewMcpServer,
    example: { name: 'files', command: 'mcp-server-filesystem', args: ['/workspace'] },
    response: contract.McpServer,
    errors: ['NOT_FOUND', 'ALREADY_EXISTS'],
  })
  replace({ params, body }: Call<z.output<typeof Params>, unknown, contract.NewMcpServer>) {
    return this.bus.request(contract.updateMcpServer, { ...body, serverId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'DELETE',
    path: ':id',
    summary: 'Delete an MCP server',
    response: contract.deleteMcpServer.output,
    errors: ['NOT_FOUND'],
  })
  delete({ params }: ById) {
    return this.bus.request(contract.deleteMcpServer, { serverId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':id/tools/refresh',
    summary: 'Read the tools of an MCP server anew',
    response: contract.McpServer,
    status: 200,
    errors: ['NOT_FOUND'],
  })
  refresh({ params }: ById) {
    return this.bus.request(contract.refreshMcpTools, { serverId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: ':id/health',
    summary: 'Ask an MCP server whether it works',
    response: contract.McpHealth,
    errors: ['NOT_FOUND'],
  })
  health({ params }: ById) {
    return this.bus.request(contract.checkMcpHealth, { serverId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: ':id/oauth/authorize',
    summary: 'Get the address where access is granted',
    query: AuthorizeQuery,
    response: contract.authorizeMcpServer.output,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  authorize({ params, query }: Call<z.output<typeof Params>, z.output<typeof AuthorizeQuery>>) {
    return this.bus.request(contract.authorizeMcpServer, { serverId: params.id, ...query });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':id/oauth/callback',
    summary: 'Finish an authorisation',
    body: CallbackBody,
    response: contract.McpServer,
    status: 200,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  callback({ params, body }: Call<z.output<typeof Params>, unknown, z.output<typeof CallbackBody>>) {
    return this.bus.request(contract.completeMcpAuthorization, { serverId: params.id, ...body });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':id/access',
    summary: 'Let an agent use an MCP server',
    body: AccessBody,
    response: contract.McpAccess,
    status: 201,
    errors: ['NOT_FOUND'],
  })
  grant({ params, body }: Call<z.output<typeof Params>, unknown, z.output<typeof AccessBody>>) {
    return this.bus.request(contract.grantMcpAccess, { serverId: params.id, ...body });
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: ':id/access',
    summary: 'List the agents that may use an MCP server',
    response: contract.listMcpAccess.output,
    errors: ['NOT_FOUND'],
  })
  access({ params }: ById) {
    return this.bus.request(contract.listMcpAccess, { serverId: params.id });
  }

  @Endpoint({
    ...common,
    params: AccessParams,
    method: 'DELETE',
    path: ':id/access/:agentId',
    summary: 'Take an MCP server away from an agent',
    response: contract.revokeMcpAccess.output,
    errors: ['NOT_FOUND'],
  })
  revoke({ params }: Call<z.output<typeof AccessParams>>) {
    return this.bus.request(contract.revokeMcpAccess, { serverId: params.id, agentId: params.agentId });
  }
}
