import { Bus } from '#lib/bus';
import { getAgent, listAgentEvents, wire } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint, HANDLED } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import { contextOf, requestIdOf } from '../http/request-context.js';
import { EventStreams } from './event-streams.js';
import { FollowAgent } from './follow-agent.js';

const EventsQuery = wire({ messageId: z.string().max(50).optional() });
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** spec: messages.md, "events" */
@Controller('v1/agent/:id/events')
export class EventsController {
  constructor(
    private readonly bus: Bus,
    private readonly streams: EventStreams,
  ) {}

  @Endpoint({
    method: 'GET',
    path: '',
    access: 'account',
    tag: 'Messages',
    summary: 'Follow what happens to an agent (server-sent events)',
    params: AgentParams,
    query: EventsQuery,
    errors: ['NOT_FOUND'],
  })
  async follow({ params, query, request, reply }: Call<z.output<typeof AgentParams>, z.output<typeof EventsQuery>>) {
    const agentId = params.id;
    await this.bus.request(getAgent, { agentId });
    const given = UUID.exec(String(request.headers['last-event-id'] ?? ''))?.[0];
    // Asked before the stream begins, so that trouble is still an HTTP error.
    const start = given ?? (await this.bus.request(listAgentEvents, { agentId, limit: 1 })).lastEventId ?? undefined;
    reply.hijack();
    const stream = this.streams.start(reply.raw, { 'x-request-id': requestIdOf(request) });
    const follower = new FollowAgent(this.bus, contextOf(request), stream, {
      agentId,
      messageId: query.messageId,
      afterEventId: start,
    });
    reply.raw.once('close', () => follower.stop());
    follower.start();
    return HANDLED;
  }
}
