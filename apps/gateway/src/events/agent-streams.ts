import { Bus } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ACCESS_ENDS } from '../access/access-ends.js';
import { AccountQuotas } from '../accounts/quotas/account-quotas.js';
import { onClose } from '../http/on-close.js';
import { type ApiRequest, contextOf, requestIdOf } from '../http/request.js';
import { AgentFeed } from './agent-feed.js';
import { type EventPosition, parsePosition } from './event-position.js';
import { EventStreams } from './event-streams.js';
import { FollowAgent, type Wanted } from './follow-agent.js';

/** Opens the streams of an agent's events, all of them or those of one run. */
@Injectable()
export class AgentStreams {
  constructor(
    private readonly bus: Bus,
    private readonly feed: AgentFeed,
    private readonly streams: EventStreams,
    private readonly quotas: AccountQuotas,
  ) {}

  /**
   * Streams to the caller, from `Last-Event-ID` or where a fresh reader begins, until its access ends. The caller has
   * checked whose agent it is. Errors: QUOTA_EXCEEDED, VALIDATION_ERROR, those of `freshStart`.
   */
  async open(
    accountId: string,
    request: ApiRequest,
    reply: FastifyReply,
    wanted: Omit<Wanted, 'from'>,
    freshStart: () => Promise<EventPosition>,
  ): Promise<void> {
    const { event_streams: limit } = await this.quotas.limitsOf(accountId);
    // Nothing is waited for between the check and the taking: of many at once no more pass than the quota allows.
    if (!this.streams.take(accountId, limit, reply.raw)) return;
    // Asked before the stream begins, so that trouble is still an HTTP error.
    const from = givenPosition(request.headers['last-event-id']) ?? (await freshStart());
    if (reply.raw.closed) return;
    if (request.method === 'HEAD') {
      void reply.header('content-type', 'text/event-stream; charset=utf-8').send();
      return;
    }
    reply.hijack();
    const stream = this.streams.start(reply.raw, { 'x-request-id': requestIdOf(request) });
    const follower = new FollowAgent(this.bus, this.feed, contextOf(request), stream, { ...wanted, from });
    onClose(reply.raw, () => follower.stop());
    request.endReply = (why) => {
      follower.stop();
      if (why === 'agent_deleted') stream.finish('agent.deleted', { agent_id: wanted.agentId });
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
