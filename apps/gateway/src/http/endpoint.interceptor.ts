import { inCall, validationError } from '#lib/bus';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, mergeMap, NEVER, type Observable, of } from 'rxjs';
import { z } from 'zod';
import { IdempotencyStore } from '../idempotency/idempotency-store.js';
import { type Call, type CallingRequest, ENDPOINT, type EndpointDefinition, HANDLED } from './endpoint.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { readBody } from './read-body.js';
import { contextOf } from './request-context.js';

const nothing = z.object({});

/** Validates a request by its endpoint's declaration, runs the handler in the request's context, encodes the answer. */
@Injectable()
export class EndpointInterceptor implements NestInterceptor {
  constructor(private readonly idempotency: IdempotencyStore) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const definition = Reflect.getMetadata(ENDPOINT, execution.getHandler()) as EndpointDefinition;
    const request = execution.switchToHttp().getRequest<CallingRequest>();
    return from(this.run(definition, request, execution.switchToHttp().getResponse<FastifyReply>(), next)).pipe(
      // The handler has answered by itself: an observable that never emits keeps Nest from answering too.
      mergeMap((result) => (result === HANDLED ? NEVER : of(result))),
    );
  }

  private async run(
    definition: EndpointDefinition,
    request: CallingRequest,
    reply: FastifyReply,
    next: CallHandler,
  ): Promise<unknown> {
    const call: Call = {
      params: valid(definition.params ?? nothing, named(request.params)),
      query: definition.query ? valid(definition.query, request.query ?? {}) : {},
      ...(await readBody(definition, request)),
      idempotencyKey: idempotencyKeyOf(request),
      accountId: request.accountId ?? '',
      agentsEnabled: request.agentsEnabled ?? false,
      userId: request.userId,
      request,
      reply,
    };
    request.call = call;
    const work = async (): Promise<unknown> => {
      const result: unknown = await inCall(contextOf(request), () => lastValueFrom(next.handle()));
      return definition.response && result !== HANDLED ? z.encode(definition.response, result) : result;
    };
    // A route that takes bytes with a signature dedupes by itself: only it can tell whether the signature is right.
    return call.idempotencyKey !== undefined && !definition.accepts?.includes('raw')
      ? this.idempotency.once(call, call.idempotencyKey, work)
      : work();
  }
}

/** Fastify calls what a wildcard took `*`. */
function named(params: unknown): object {
  const { '*': path, ...rest } = (params ?? {}) as Record<string, string>;
  return path === undefined ? rest : { ...rest, path };
}

function valid<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw validationError(parsed.error);
}
