import { Bus } from '#lib/bus';
import { getAgent, listAgentEvents, RoostError, wire } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { ACCESS_ENDS } from '../access/access-ends.js';
import { type Call, type CallingRequest, Endpoint, HANDLED } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import { AccountQuotas } from '../accounts/quotas/account-quotas.js';
import { contextOf, requestIdOf } from '../http/request-context.js';
import { AgentFeed } from './agent-feed.js';
import { type EventPosition, parsePosition } from './event-position.js';
import { EventStreams } from './event-streams.js';
import { FollowAgent } from './follow-agent.js';

const EventsQuery = wire({ messageId: z.string().max(50).optional() });

/** spec: messages.md, "events" */
@Controller('v1/agent/:id/events')
export class EventsController {
  constructor(
    private readonly bus: Bus,
    private readonly feed: AgentFeed,
    private readonly streams: EventStreams,
    private readonly quotas: AccountQuotas,
  ) {}

  @Endpoint({
    method: 'GET',
    path: '',
    access: 'account',
    tag: 'Messages',
    summary: 'Follow what happens to an agent (server-sent events)',
    params: AgentParams,
    query: EventsQuery,
    errors: ['NOT_FOUND', 'QUOTA_EXCEEDED'],
  })
  async follow({
    params,
    query,
    accountId,
    request,
    reply,
  }: Call<z.output<typeof AgentParams>, z.output<typeof EventsQuery>>) {
    const agentId = params.id;
    await this.bus.request(getAgent, { agentId });
    const { event_streams: limit } = await this.quotas.limitsOf(accountId);
    // Nothing is waited for between the check and the place: of many at once no more pass than there is room for.
    if (!this.streams.take(accountId, limit, reply.raw)) return HANDLED;
    // Asked before the stream begins, so that trouble is still an HTTP error.
    const from = givenPosition(request.headers['last-event-id']) ?? {
      eventId: (await this.bus.request(listAgentEvents, { agentId, limit: 1 })).lastEventId ?? undefined,
    };
    if (request.method === 'HEAD') {
      void reply.header('content-type', 'text/event-stream; charset=utf-8').send();
      return HANDLED;
    }
    reply.hijack();
    const stream = this.streams.start(reply.raw, { 'x-request-id': requestIdOf(request) });
    const follower = new FollowAgent(this.bus, this.feed, contextOf(request), stream, {
      agentId,
      messageId: query.messageId,
      from,
    });
    reply.raw.once('close', () => follower.stop());
    (request as CallingRequest).endReply = (why) => {
      follower.stop();
      if (why === 'agent_deleted') stream.finish('agent.deleted', { agent_id: agentId });
      else stream.finish('stream.ended', { reason: why, message: ACCESS_ENDS[why][1] });
    };
    follower.start();
    return HANDLED;
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
