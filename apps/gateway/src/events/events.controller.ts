import { Bus } from '#lib/bus';
import { AgentStreamEvent, getAgent, listAgentEvents, RoostError, wire } from '#lib/contracts';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ACCESS_ENDS } from '../access/access-ends.js';
import type { Identity } from '../accounts/identity.js';
import { Caller, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import { AccountQuotas } from '../accounts/quotas/account-quotas.js';
import { type ApiRequest, contextOf, requestIdOf } from '../http/request.js';
import { AgentFeed } from './agent-feed.js';
import { type EventPosition, parsePosition } from './event-position.js';
import { EventStreams } from './event-streams.js';
import { FollowAgent } from './follow-agent.js';

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
    private readonly feed: AgentFeed,
    private readonly streams: EventStreams,
    private readonly quotas: AccountQuotas,
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
    @Query(EventsQuery) query: EventsQuery,
    @Caller() { accountId }: Identity,
    @Req() request: ApiRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.bus.request(getAgent, { agentId });
    const { event_streams: limit } = await this.quotas.limitsOf(accountId);
    // Nothing is waited for between the check and the taking: of many at once no more pass than the quota allows.
    if (!this.streams.take(accountId, limit, reply.raw)) return;
    // Asked before the stream begins, so that trouble is still an HTTP error.
    const from = givenPosition(request.headers['last-event-id']) ?? {
      eventId: (await this.bus.request(listAgentEvents, { agentId, limit: 1 })).lastEventId ?? undefined,
    };
    if (request.method === 'HEAD') {
      void reply.header('content-type', 'text/event-stream; charset=utf-8').send();
      return;
    }
    reply.hijack();
    const stream = this.streams.start(reply.raw, { 'x-request-id': requestIdOf(request) });
    const follower = new FollowAgent(this.bus, this.feed, contextOf(request), stream, {
      agentId,
      messageId: query.messageId,
      from,
    });
    reply.raw.once('close', () => follower.stop());
    request.endReply = (why) => {
      follower.stop();
      if (why === 'agent_deleted') stream.finish('agent.deleted', { agent_id: agentId });
      else stream.finish('stream.ended', { reason: why, message: ACCESS_ENDS[why][1] });
    };
    follower.start();
  }
}

/** Undefined where a reader starts afresh: without the header, or with an empty one. Errors: VALIDATION_ERROR. */
function givenPosition(header: string | string[] | undefined): EventPosition | undefined {
  const given = String(header ?? '');
  if (given === '') return undefined;
  const position = parsePosition(given);
  if (position) return position;
  throw new RoostError(
    'VALIDATION_ERROR',
    'Last-Event-ID: must be the id of an event as this stream gave it; leave it out to start afresh',
    [{ field: 'Last-Event-ID', reason: 'invalid' }],
  );
}
