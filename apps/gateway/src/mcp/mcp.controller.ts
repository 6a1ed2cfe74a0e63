import { Bus } from '#lib/bus';
import * as contract from '#lib/contracts';
import { Controller, Delete, Get, Post, Put } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';

/** What is no id at all is answered as an unknown one is. */
const Id = z.string().refine((id) => {
  if (!z.uuid().safeParse(id).success) throw new contract.RoostError('NOT_FOUND', 'there is no such MCP server');
  return true;
});
const Params = z.looseObject({ id: Id });
type Params = z.output<typeof Params>;
const AccessParams = z.looseObject({ id: Id, agentId: Id });
type AccessParams = z.output<typeof AccessParams>;
const AuthorizeQuery = contract.wire({ redirectUri: z.url().max(2_048).optional() });
type AuthorizeQuery = z.output<typeof AuthorizeQuery>;
const CallbackBody = contract.wire({ code: z.string().min(1).max(4_096), state: z.string().min(1).max(500) });
type CallbackBody = z.output<typeof CallbackBody>;
const AccessBody = contract.wire({
  agentId: contract.AgentId,
  accessMode: z.enum(['all', 'selected']).default('all'),
  tools: z.array(z.string().min(1).max(200)).max(200).default([]),
});
type AccessBody = z.output<typeof AccessBody>;
const PageQuery = contract.wire({ ...contract.pageQuery });
type PageQuery = z.output<typeof PageQuery>;

/** spec: runtime.md, "MCP" */
@Tag('MCP')
@Controller('v1/mcp/servers')
export class McpController {
  constructor(private readonly bus: Bus) {}

  @Post()
  @Endpoint({
    access: 'account',
    summary: 'Register an MCP server',
    example: { name: 'files', command: 'mcp-server-filesystem', args: ['/workspace'] },
    response: contract.McpServer,
    status: 201,
    errors: ['ALREADY_EXISTS', 'QUOTA_EXCEEDED'],
  })
  create(@Body(contract.NewMcpServer) body: z.output<typeof contract.NewMcpServer>) {
    return this.bus.request(contract.createMcpServer, body);
  }

  @Get()
  @Endpoint({ access: 'account', summary: 'List MCP servers', response: contract.listMcpServers.output })
  list(@Query(PageQuery) query: PageQuery) {
    return this.bus.request(contract.listMcpServers, query);
  }

  @Get(':id')
  @Endpoint({ access: 'account', summary: 'Get an MCP server', response: contract.McpServer, errors: ['NOT_FOUND'] })
  get(@Param(Params) { id }: Params) {
    return this.bus.request(contract.getMcpServer, { serverId: id });
  }

  @Put(':id')
  @Endpoint({
    access: 'account',
    summary: 'Replace an MCP server',
    example: { name: 'files', command: 'mcp-server-filesystem', args: ['/workspace'] },
    response: contract.McpServer,
    errors: ['NOT_FOUND', 'ALREADY_EXISTS'],
  })
  replace(@Param(Params) { id }: Params, @Body(contract.NewMcpServer) body: z.output<typeof contract.NewMcpServer>) {
    return this.bus.request(contract.updateMcpServer, { ...body, serverId: id });
  }

  @Delete(':id')
  @Endpoint({
    access: 'account',
    summary: 'Delete an MCP server',
    response: contract.deleteMcpServer.output,
    errors: ['NOT_FOUND'],
  })
  delete(@Param(Params) { id }: Params) {
    return this.bus.request(contract.deleteMcpServer, { serverId: id });
  }

  @Post(':id/tools/refresh')
  @Endpoint({
    access: 'account',
    summary: 'Read the tools of an MCP server anew',
    response: contract.McpServer,
    status: 200,
    errors: ['NOT_FOUND'],
  })
  refresh(@Param(Params) { id }: Params) {
    return this.bus.request(contract.refreshMcpTools, { serverId: id });
  }

  @Get(':id/health')
  @Endpoint({
    access: 'account',
    summary: 'Ask an MCP server whether it works',
    response: contract.McpHealth,
    errors: ['NOT_FOUND'],
  })
  health(@Param(Params) { id }: Params) {
    return this.bus.request(contract.checkMcpHealth, { serverId: id });
  }

  @Get(':id/oauth/authorize')
  @Endpoint({
    access: 'account',
    summary: 'Get the address where access is granted',
    response: contract.authorizeMcpServer.output,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  authorize(@Param(Params) { id }: Params, @Query(AuthorizeQuery) query: AuthorizeQuery) {
    return this.bus.request(contract.authorizeMcpServer, { serverId: id, ...query });
  }

  @Post(':id/oauth/callback')
  @Endpoint({
    access: 'account',
    summary: 'Finish an authorisation',
    response: contract.McpServer,
    status: 200,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  callback(@Param(Params) { id }: Params, @Body(CallbackBody) body: CallbackBody) {
    return this.bus.request(contract.completeMcpAuthorization, { serverId: id, ...body });
  }

  @Post(':id/access')
  @Endpoint({
    access: 'account',
    summary: 'Let an agent use an MCP server',
    response: contract.McpAccess,
    status: 201,
    errors: ['NOT_FOUND'],
  })
  grant(@Param(Params) { id }: Params, @Body(AccessBody) body: AccessBody) {
    return this.bus.request(contract.grantMcpAccess, { serverId: id, ...body });
  }

  @Get(':id/access')
  @Endpoint({
    access: 'account',
    summary: 'List the agents that may use an MCP server',
    response: contract.listMcpAccess.output,
    errors: ['NOT_FOUND'],
  })
  access(@Param(Params) { id }: Params) {
    return this.bus.request(contract.listMcpAccess, { serverId: id });
  }

  @Delete(':id/access/:agentId')
  @Endpoint({
    access: 'account',
    summary: 'Take an MCP server away from an agent',
    response: contract.revokeMcpAccess.output,
    errors: ['NOT_FOUND'],
  })
  revoke(@Param(AccessParams) { id, agentId }: AccessParams) {
    return this.bus.request(contract.revokeMcpAccess, { serverId: id, agentId });
  }
}
