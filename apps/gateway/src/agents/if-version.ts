import { Agent, RoostError } from '#lib/contracts';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

/** The version that a change of an agent is made of, by its `If-Match`; undefined without one, or for any (`*`). */
export const IfVersion = createParamDecorator((_: unknown, context: ExecutionContext) =>
  versionOf(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
);

/** Errors: VALIDATION_ERROR for what is no agent's `ETag`. */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const [, digits] = /^\s*(?:W\/)?"(\d{1,9})"\s*$/.exec(ifMatch) ?? [];
  if (digits === undefined || Number(digits) === 0) {
    throw new RoostError('VALIDATION_ERROR', 'If-Match: must be the ETag of the agent, its version in quotes: "3"', [
      { field: 'If-Match', reason: 'invalid_format' },
    ]);
  }
  return Number(digits);
}

/** Shows an agent with its version as the `ETag`. */
export function withETag(reply: FastifyReply, agent: z.output<typeof Agent>) {
  void reply.header('etag', `"${agent.version}"`);
  return agent;
}
