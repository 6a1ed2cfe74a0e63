import { Bus } from '#lib/bus';
import {
  cancelRun,
  getRun,
  getRunSteps,
  listRuns,
  RoostError,
  Run,
  RunDetail,
  RunListItem,
  runListQuery,
  RunStreamEvent,
  sumRuns,
  wire,
} from '#lib/contracts';
import { Controller, Get, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Identity } from '../accounts/identity.js';
import { AgentStreams } from '../events/agent-streams.js';
import { FollowedRun } from '../events/followed-run.js';
import { Caller, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import { type ApiRequest, contextOf } from '../http/request.js';

const RunList = wire({
  runs: z.array(RunListItem).describe('Newest first'),
  hasMore: z.boolean().describe('Older ones follow: ask with `before`, the id of the last'),
});
const ListQuery = wire(runListQuery);
type ListQuery = z.output<typeof ListQuery>;

/** What is no id at all is answered as an unknown one is. */
export const RunParams = AgentParams.extend({
  runId: z
    .string()
    .refine((id) => {
      if (!z.uuid().safeParse(id).success) throw new RoostError('NOT_FOUND', 'this agent has no such run');
      return true;
    })
    .describe('The run’s id.'),
});
export type RunParams = z.output<typeof RunParams>;

/** Runs: what messaging knows of turns, with what agent-runtime knows of the inside (docs/runs.md). */
@Tag('Runs')
@Controller('v1/agent/:id/runs')
export class RunsController {
  constructor(
    private readonly bus: Bus,
    private readonly streams: AgentStreams,
  ) {}

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List the runs of an agent',
    description:
      'A run is what an agent does for one batch of messages, from its first attempt to its answer. Newest first; filters ' +
      'may be combined. Runs are kept for 90 days unless the operator sets otherwise.',
    response: RunList,
    errors: ['NOT_FOUND'],
  })
  async list(@Param(AgentParams) { id }: AgentParams, @Query(ListQuery) query: ListQuery) {
    const { runs, hasMore } = await this.bus.request(listRuns, { agentId: id, ...query });
    const usage = await this.usageOf(
      id,
      runs.map((run) => run.id),
    );
    return { runs: runs.map((run) => ({ ...run, usage: usage?.[run.id] ?? (usage ? NOTHING : null) })), hasMore };
  }

  /** The list is of use without. */
  private async usageOf(agentId: string, runIds: string[]) {
    if (runIds.length === 0) return {};
    try {
      return (await this.bus.request(sumRuns, { agentId, runIds })).usage;
    } catch (error) {
      if (error instanceof RoostError && error.code === 'SERVICE_UNAVAILABLE') return undefined;
      throw error;
    }
  }

  @Get(':runId')
  @Endpoint({
    access: 'account',
    summary: 'Get a run with its messages, attempts and steps',
    description:
      'Everything that is known of one run: the messages that came in and the replies, each attempt with the reason why it ' +
      'came to nothing, and in order the calls of models and tools, with tokens, cost and durations. Arguments and results ' +
      'of tools are cut to 4,000 characters, and known secrets are masked. The steps of a running attempt are up to a ' +
      'second old; follow the run’s events for what happens now.',
    response: RunDetail,
    errors: ['NOT_FOUND'],
  })
  async get(@Param(RunParams) { id, runId }: RunParams) {
    const run = { agentId: id, runId };
    const found = await this.bus.request(getRun, run);
    const inside = await this.bus.request(getRunSteps, run);
    const approvals = new Map(found.approvals.map(({ toolCallId, approval }) => [toolCallId, approval]));
    const numbers = new Map(found.attempts.map(({ turnId, number }) => [turnId, number]));
    return {
      ...found.run,
      usage: inside.usage,
      sessionId: inside.sessionId,
      configurationVersion: inside.configurationVersion ?? null,
      attempts: found.attempts,
      messages: found.messages,
      replies: found.replies,
      steps: inside.attempts.flatMap(({ turnId, steps }) =>
        steps.map((step) => ({
          ...step,
          attempt: numbers.get(turnId) ?? step.attempt,
          tool: step.tool && { ...step.tool, approval: approvals.get(step.tool.callId) ?? null },
        })),
      ),
    };
  }

  @Get(':runId/events')
  @Endpoint({
    access: 'account',
    summary: 'Follow a run (server-sent events)',
    description:
      'The events of the agent’s stream that are of this run, in the same form: from its start, whenever you ask, and while ' +
      'it runs as they happen. The stream ends by itself when the run has ended, with `run.ended`, whose `data` is the run. ' +
      'Of one that ended earlier it sends what is kept, which is durable events of the last 24 hours, and ends; `stream.gap` ' +
      'says that its begin is not kept. Connect again with the last `id` as `Last-Event-ID` and nothing is missed or ' +
      'doubled. Counts among the 200 streams that an account may have open (quota `event_streams`).',
    requestHeaders: ['LastEventId'],
    responseDescription:
      'The stream. It ends with the run, when the agent is deleted, the access ends, or this gateway stops: without ' +
      '`run.ended` connect again.',
    events: RunStreamEvent,
    errors: ['NOT_FOUND', 'QUOTA_EXCEEDED'],
  })
  async events(
    @Param(RunParams) { id: agentId, runId }: RunParams,
    @Caller() { accountId }: Identity,
    @Req() request: ApiRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const look = () => this.bus.request(getRun, { agentId, runId }, contextOf(request));
    const run = new FollowedRun(await look(), look);
    await this.streams.open(accountId, request, reply, { agentId, run }, () => Promise.resolve({ eventId: undefined }));
  }

  @Post(':runId/cancel')
  @Endpoint({
    access: 'account',
    summary: 'Cancel a run',
    description:
      'Stops a running run within a moment (`cancel_requested` until its worker has stopped), and ends one that waits at ' +
      'once. Its messages are not answered: they get the error `CANCELLED`. Cancelling it again changes nothing; a run that ' +
      'has ended in another way is 409.',
    response: Run,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  cancel(@Param(RunParams) { id, runId }: RunParams) {
    return this.bus.request(cancelRun, { agentId: id, runId });
  }
}

const NOTHING = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, reasoningTokens: 0, costUsd: 0n };
