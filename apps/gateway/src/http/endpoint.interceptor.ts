import { inCall, validationError } from '#lib/bus';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { z } from 'zod';
import { type CallingRequest, ENDPOINT, type EndpointDefinition } from './endpoint.js';
import { contextOf } from './request-context.js';

const nothing = z.object({});

/** Validates a request by its endpoint's declaration, runs the handler in the request's context, encodes the answer. */
@Injectable()
export class EndpointInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const definition = Reflect.getMetadata(ENDPOINT, execution.getHandler()) as EndpointDefinition;
    const request = execution.switchToHttp().getRequest<CallingRequest>();
    return from(this.run(definition, request, execution.switchToHttp().getResponse<FastifyReply>(), next));
  }

  private async run(
    definition: EndpointDefinition,
    request: CallingRequest,
    reply: FastifyReply,
    next: CallHandler,
  ): Promise<unknown> {
    request.call = {
      params: valid(definition.params ?? nothing, request.params ?? {}),
      query: definition.query ? valid(definition.query, request.query ?? {}) : {},
      body: definition.body ? valid(definition.body, request.body ?? {}) : request.body,
      accountId: request.accountId ?? '',
      request,
      reply,
    };
    const result = await inCall(contextOf(request), () => lastValueFrom(next.handle()));
    return definition.response ? z.encode(definition.response, result) : result;
  }
}

function valid<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw validationError(parsed.error);
}
