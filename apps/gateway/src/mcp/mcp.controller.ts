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
const ServerId = Id.describe('The server’s id.');
const Params = z.looseObject({ id: ServerId });
type Params = z.output<typeof Params>;
const AccessParams = z.looseObject({ id: ServerId, agentId: Id.describe('The agent’s id.') });
type AccessParams = z.output<typeof AccessParams>;
const AuthorizeQuery = contract.wire(contract.authorizeQuery);
type AuthorizeQuery = z.output<typeof AuthorizeQuery>;
const CallbackBody = contract.wire(contract.authorizationCode);
type CallbackBody = z.output<typeof CallbackBody>;
const AccessBody = contract.wire(contract.grantFields);
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
    description:
      'For any number of agents of the account: then let each use it with `POST …/access`. An address that may not be called is 400. A name that exists is 409.',
    responseDescription: 'The server.',
    example: { name: 'files', command: 'mcp-server-filesystem', args: ['/workspace'] },
    response: contract.McpServer,
    status: 201,
    errors: ['ALREADY_EXISTS', 'QUOTA_EXCEEDED'],
  })
  create(@Body(contract.NewMcpServer) body: z.output<typeof contract.NewMcpServer>) {
    return this.bus.request(contract.createMcpServer, body);
  }

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List MCP servers',
    description: 'The account’s registry. Servers of a single agent are in its `configuration.mcp_servers`.',
    responseDescription: 'A page of servers.',
    response: contract.listMcpServers.output,
  })
  list(@Query(PageQuery) query: PageQuery) {
    return this.bus.request(contract.listMcpServers, query);
  }

  @Get(':id')
  @Endpoint({
    access: 'account',
    summary: 'Get an MCP server',
    description: 'With its tools as they were last read.',
    responseDescription: 'The server.',
    response: contract.McpServer,
    errors: ['NOT_FOUND'],
  })
  get(@Param(Params) { id }: Params) {
    return this.bus.request(contract.getMcpServer, { serverId: id });
  }

  @Put(':id')
  @Endpoint({
    access: 'account',
    summary: 'Replace an MCP server',
    description: 'The whole configuration; what is left out is gone. A new address forgets the authorization.',
    responseDescription: 'The server after the change.',
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
    description: 'Agents lose its tools with their next turn.',
    responseDescription: 'It is deleted.',
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
    description: 'Connects and reads. For a server in workspaces it returns what agents have last seen.',
    responseDescription: 'The server with its tools.',
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
    description: 'A server with a `url` is asked now; of one in workspaces it is what an agent’s last turn found.',
    responseDescription: 'How it is.',
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
    description:
      'OAuth 2.1 with PKCE: open `authorization_url` in a browser; it comes back with a code and the state for `POST …/oauth/callback`. 409: the server asks for no authorization.',
    responseDescription: 'Where to send the person.',
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
    description:
      'With what the browser came back with. A state that was used, is older than ten minutes or is not the last one given out is 400.',
    responseDescription: 'The server, which can be used now.',
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
    description: 'All its tools or selected ones, from the next turn on. Again replaces what was allowed.',
    responseDescription: 'What the agent may use.',
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
    description: 'Each with what it may use.',
    responseDescription: 'Who may use it.',
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
    description: 'From its next turn on.',
    responseDescription: 'The agent may use it no more.',
    response: contract.revokeMcpAccess.output,
    errors: ['NOT_FOUND'],
  })
  revoke(@Param(AccessParams) { id, agentId }: AccessParams) {
    return this.bus.request(contract.revokeMcpAccess, { serverId: id, agentId });
  }
}
