import { Bus } from '#lib/bus';
import {
  AgentVersion,
  AgentVersionDetail,
  diffVersions,
  DraftVersion,
  draftVersion,
  getVersion,
  listVersions,
  RolledBack,
  rollBack,
  RoostError,
  VersionDiff,
  versionListQuery,
  VersionNote,
  VersionNumber,
  wire,
} from '#lib/contracts';
import { Controller, Get, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { IfVersion } from '../agents/if-version.js';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const ListQuery = wire(versionListQuery);
type ListQuery = z.output<typeof ListQuery>;

const number = z.coerce.number<number | string>().pipe(VersionNumber);
const DiffQuery = wire({
  from: number.optional().describe('The version to compare with; the one before `to` if not given.'),
  to: number.optional().describe('The version to compare; the present one if not given.'),
});
type DiffQuery = z.output<typeof DiffQuery>;

/** What is no number is answered as a version that there is not. */
const VersionParams = AgentParams.extend({
  version: z
    .string()
    .refine((text) => {
      if (!number.safeParse(text).success) throw new RoostError('NOT_FOUND', 'the agent has no such version');
      return true;
    })
    .describe('The number of the version.'),
});
type VersionParams = z.output<typeof VersionParams>;

const RollBack = wire({
  version: VersionNumber.describe('The version whose settings the agent is to have.'),
  note: VersionNote.optional(),
}).meta({ id: 'RollBack', description: 'To which version, and why.' });
type RollBack = z.output<typeof RollBack>;

/** What an agent was configured with, and who changed it (docs/guide/versions.md). */
@Tag('Agents')
@Controller('v1/agent/:id')
export class VersionsController {
  constructor(private readonly bus: Bus) {}

  @Get('versions')
  @Endpoint({
    access: 'account',
    summary: 'List the versions of an agent’s configuration',
    description:
      'Every change of what is configured makes a version; none is ever changed. Newest first. The newest 500 are kept, or ' +
      'as many as come to 64 MiB. Status, balance and files are not part of it.',
    responseDescription: 'A page of versions.',
    response: listVersions.output,
    errors: ['NOT_FOUND'],
  })
  list(@Param(AgentParams) { id }: AgentParams, @Query(ListQuery) query: ListQuery) {
    return this.bus.request(listVersions, { agentId: id, ...query });
  }

  @Post('versions')
  @Endpoint({
    access: 'account',
    summary: 'Make a draft of an agent’s configuration',
    description:
      'A version that the agent does not get: what it would have with this change. Messages that name it as their `version` ' +
      'are answered by it, a conversation can be pinned to it, runs and comparisons know its number; a roll back to it ' +
      'publishes it. It holds no new values of secrets: they are those that the agent has. Volume, variables, limits and ' +
      'network of the sandbox stay those of the agent. The newest 50 drafts are kept.',
    responseDescription: 'The draft was made.',
    example: { system_prompt: 'You keep the notes. Answer in rhymes.', note: 'for the party' },
    response: AgentVersion,
    status: 201,
    errors: ['NOT_FOUND'],
  })
  draft(@Param(AgentParams) { id }: AgentParams, @Body(DraftVersion) body: DraftVersion) {
    return this.bus.request(draftVersion, { agentId: id, ...body });
  }

  @Get('versions/diff')
  @Endpoint({
    access: 'account',
    summary: 'Compare two versions of an agent’s configuration',
    description:
      'Field by field: objects by what is in them, lists as a whole. Of secrets it shows in which version each value was ' +
      'set, never the value.',
    responseDescription: 'The fields that differ.',
    response: VersionDiff,
    errors: ['NOT_FOUND'],
  })
  diff(@Param(AgentParams) { id }: AgentParams, @Query(DiffQuery) query: DiffQuery) {
    return this.bus.request(diffVersions, { agentId: id, ...query });
  }

  @Get('versions/:version')
  @Endpoint({
    access: 'account',
    summary: 'Get a version of an agent’s configuration',
    description:
      'All that was configured then. Secrets are `***`; `secrets` says in which version the value of each was set, so that ' +
      'the same number is the same value.',
    responseDescription: 'The version.',
    response: AgentVersionDetail,
    errors: ['NOT_FOUND'],
  })
  get(@Param(VersionParams) { id, version }: VersionParams) {
    return this.bus.request(getVersion, { agentId: id, version: Number(version) });
  }

  @Post('rollback')
  @Endpoint({
    access: 'account',
    summary: 'Roll an agent back to an earlier version',
    description:
      'Gives the agent the settings of that version, as a new version, from the next turn on. Values of secrets are kept in ' +
      'no version: one that was replaced since stays as it is now, one that is gone has to be set anew, and `not_restored` ' +
      'names both. Keys of providers and bots are left alone; a volume keeps its size. Settings that are not allowed any ' +
      'more, such as a model that is gone, are 400.',
    requestHeaders: ['IfAgentMatch'],
    responseHeaders: ['ETag'],
    responseDescription: 'The agent has the settings of that version.',
    example: { version: 1, note: 'the new prompt was too chatty' },
    response: RolledBack,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  async rollBack(
    @Param(AgentParams) { id }: AgentParams,
    @Body(RollBack) body: RollBack,
    @IfVersion() ifVersion: number | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const rolledBack = await this.bus.request(rollBack, { agentId: id, ...body, ifVersion });
    void reply.header('etag', `"${rolledBack.version}"`);
    return rolledBack;
  }
}
