import { Bus } from '#lib/bus';
import { AgentDocument, applyAgents, AppliedDocument, encode, exportAgent, wire } from '#lib/contracts';
import { Controller, Get, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { stringify } from 'yaml';
import { z } from 'zod';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import type { ApiRequest } from '../http/request.js';

const ExportQuery = wire({
  format: z
    .enum(['json', 'yaml'])
    .optional()
    .describe('The form of the answer; the `Accept` header decides if it is not given, and JSON if neither does.'),
});
type ExportQuery = z.output<typeof ExportQuery>;

const ApplyQuery = wire({
  dryRun: z
    .enum(['true', 'false'])
    .default('false')
    .describe('`true`: nothing is changed, and the answer says what would be.'),
});
type ApplyQuery = z.output<typeof ApplyQuery>;

/** Agents as files (docs/guide/as-files.md). */
@Tag('Agents')
@Controller('v1')
export class DocumentsController {
  constructor(private readonly bus: Bus) {}

  @Get('agent/:id/export')
  @Endpoint({
    access: 'account',
    summary: 'Export an agent as a document',
    description:
      'All that is configured of it, with its schedules, triggers and webhook endpoints, as `PUT /v1/agents/apply` takes it. ' +
      'Secrets are given by name (`{ "from_env": … }`), never by value. Status, balance, budgets, files, messages and linked ' +
      'chats are not part of it, nor the secrets of triggers and webhooks. With `format=yaml` or `Accept: application/yaml` ' +
      'it comes as YAML. Where two of its schedules, triggers or webhooks have one name it is 409, with their ids.',
    responseDescription: 'The document.',
    response: AgentDocument,
    responseContent: { 'application/yaml': { schema: { type: 'string', description: 'The same as YAML.' } } },
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  async export(
    @Param(AgentParams) { id }: AgentParams,
    @Query(ExportQuery) { format }: ExportQuery,
    @Req() request: ApiRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const document = await this.bus.request(exportAgent, { agentId: id });
    const isYaml = format ? format === 'yaml' : prefersYaml(request.headers.accept);
    if (!isYaml) return document;
    const { agents } = encode(AgentDocument, document);
    void reply.header('content-type', 'application/yaml; charset=utf-8').send(stringify({ agents }, { lineWidth: 0 }));
  }

  @Put('agents/apply')
  @Endpoint({
    access: 'account',
    summary: 'Make agents as a document says',
    description:
      'Agents with their schedules, triggers and webhook endpoints, by name, as JSON or YAML: what is not there is made, what ' +
      'differs is changed, what is so already is left alone. What the document does not name stays, unless it says ' +
      '`prune: true`; agents are never deleted. With `dry_run=true` nothing is changed, and the answer says field by field ' +
      'what would be. The whole document is checked first, and refused without any change where something in it cannot be: a ' +
      'name that several agents have (409, with their ids: choose by `id`), another version than `if_version`, a secret by ' +
      'name that has no value yet, a quota. Then each agent is changed under the version that it was compared with, so that ' +
      'nobody’s change is lost; what fails is reported beside what was done, and the same document applied again goes on.',
    accepts: ['json', 'yaml'],
    responseDescription: 'What was done, or would be.',
    example: { agents: { robin: { system_prompt: 'You keep the notes.', configuration: { model: 'demo' } } } },
    response: AppliedDocument,
    errors: ['CONFLICT', 'NOT_FOUND', 'QUOTA_EXCEEDED'],
  })
  apply(@Query(ApplyQuery) { dryRun }: ApplyQuery, @Body(AgentDocument) document: AgentDocument) {
    return this.bus.request(applyAgents, { document, dryRun: dryRun === 'true' });
  }
}

const prefersYaml = (accept: string | undefined) =>
  /^\s*(?:application|text)\/(?:x-)?yaml\s*(;|,|$)/i.test(accept ?? '');
