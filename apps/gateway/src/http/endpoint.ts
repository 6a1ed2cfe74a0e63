import type { ErrorCode } from '#lib/contracts';
import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  HttpCode,
  RequestMapping,
  RequestMethod,
  SetMetadata,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

export const ENDPOINT = Symbol('roost:endpoint');

/** Who may call: anybody, or an account that has the AI-agents feature. */
export type Access = 'public' | 'account';

/**
 * One declaration per route: it validates, authenticates, encodes the answer and writes the OpenAPI document.
 * Schemas are wire codecs of contracts; what the handler gets and gives is in the code's form.
 */
export interface EndpointDefinition<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `:name` for parameters, as Nest writes it. A last `*path` takes the rest. */
  path: string;
  access: Access;
  summary: string;
  tag: string;
  params?: P;
  query?: Q;
  body?: B;
  /** Absent: the handler writes the reply itself. */
  response?: R;
  /** Of the success; 200 if not given. */
  status?: number;
  errors?: ErrorCode[];
}

/** What a handler gets: everything validated. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  params: P;
  query: Q;
  body: B;
  /** The tenant; '' on public endpoints. */
  accountId: string;
  request: FastifyRequest;
  reply: FastifyReply;
}

export interface CallingRequest extends FastifyRequest {
  accountId?: string;
  requestId?: string;
  call?: Call;
}

/** The handler's parameter; set by `Endpoint`. */
const Input = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<CallingRequest>().call,
);

/** Makes a controller's method a route of the API. */
export function Endpoint<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  definition: EndpointDefinition<P, Q, B, R>,
) {
  return <F extends (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<z.output<R>> | z.output<R>>(
    target: object,
    key: string,
    descriptor: TypedPropertyDescriptor<F>,
  ): void => {
    Input()(target, key, 0);
    applyDecorators(
      RequestMapping({ path: definition.path, method: RequestMethod[definition.method] }),
      HttpCode(definition.status ?? 200),
      SetMetadata(ENDPOINT, definition),
    )(target, key, descriptor);
  };
}
