import { Bus } from '#lib/bus';
import { AgentStreamEvent, getAgent, listAgentEvents, wire } from '#lib/contracts';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Identity } from '../accounts/identity.js';
import { Caller, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import type { ApiRequest } from '../http/request.js';
import { AgentStreams } from './agent-streams.js';

const EventsQuery = wire({
  messageId: z.string().max(50).optional().describe('Only what concerns this message.'),
});
type EventsQuery = z.output<typeof EventsQuery>;

/** spec: messages.md, "events" */
@Tag('Messages')
@Controller('v1/agent/:id/events')
export class EventsController {
  constructor(
    private readonly bus: Bus,
    private readonly streams: AgentStreams,
  ) {}

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'Follow what happens to an agent (server-sent events)',
    description:
      'A stream that stays open: messages, turns, the reply while it is written, tool calls, changes of the agent. Each event has an `event` (its type), `data` (JSON) and mostly an `id`. Connect again with the last `id` as `Last-Event-ID` and nothing is missed or doubled: durable events are kept for 24 hours, and of a running turn what was said is sent again from where you were. The first line is an `id` alone: where you begin. A comment comes every 15 seconds, so that a dead connection shows. A reader that falls 1 MiB behind is cut and may resume. An account may have 200 streams open (quota `event_streams`).',
    requestHeaders: ['LastEventId'],
    responseDescription:
      'The stream. It ends when the agent is deleted, the access ends, or this gateway stops: connect again.',
    events: AgentStreamEvent,
    errors: ['NOT_FOUND', 'QUOTA_EXCEEDED'],
  })
  async follow(
    @Param(AgentParams) { id: agentId }: AgentParams,
    @Query(EventsQuery) { messageId }: EventsQuery,
    @Caller() { accountId }: Identity,
    @Req() request: ApiRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.bus.request(getAgent, { agentId });
    await this.streams.open(accountId, request, reply, { agentId, messageId }, async () => ({
      eventId: (await this.bus.request(listAgentEvents, { agentId, limit: 1 })).lastEventId ?? undefined,
    }));
  }
}
