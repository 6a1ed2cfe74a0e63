import { boundMethod, inCall, validationError } from '#lib/bus';
import { encode } from '#lib/contracts';
import type { INestApplicationContext } from '@nestjs/common';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { OpenRequests } from '../access/open-requests.js';
import { whileAllowed } from '../access/while-allowed.js';
import { IdempotencyStore } from '../idempotency/idempotency-store.js';
import {
  type Call,
  type CallingRequest,
  type EndpointDefinition,
  type EndpointHandler,
  endpointRouteOf,
  HANDLED,
} from './endpoint.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { readBody } from './read-body.js';
import { contextOf } from './request-context.js';
import { refuseUnusableParameters } from './usable-text.js';

const nothing = z.object({});

/**
 * Has the server call endpoints itself: validates a request by its declaration, runs the controller's method in the
 * request's context and encodes the answer. Nest finds the controllers and names the routes; of what it would put
 * between a request and its method (guards, pipes, interceptors over observables) the API uses nothing, and it cost as
 * much as the work. To be called before the routes are made.
 */
export function runEndpoints(server: FastifyInstance, app: INestApplicationContext): void {
  const services = { idempotency: app.get(IdempotencyStore), open: app.get(OpenRequests) };
  server.addHook('onRoute', (route) => {
    const config = endpointRouteOf(route);
    if (!config) return;
    const method = boundMethod<EndpointHandler>(app, config);
    route.handler = (request: CallingRequest, reply) => run(config.endpoint, method, services, request, reply);
  });
}

async function run(
  definition: EndpointDefinition,
  method: EndpointHandler,
  { idempotency, open }: { idempotency: IdempotencyStore; open: OpenRequests },
  request: CallingRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  void reply.status(definition.status ?? 200);
  const inPath = named(request.params);
  const params = valid(definition.params ?? nothing, inPath);
  // Ids are checked before: what is no id is answered as an unknown one.
  refuseUnusableParameters(inPath);
  refuseUnusableParameters(request.query);
  const call: Call = {
    params,
    query: definition.query ? valid(definition.query, request.query ?? {}) : {},
    ...(await readBody(definition, request)),
    idempotencyKey: idempotencyKeyOf(request),
    accountId: request.accountId ?? '',
    agentsEnabled: request.agentsEnabled ?? false,
    userId: request.userId,
    sessionId: request.identity?.sessionId,
    request,
    reply,
  };
  const work = async (): Promise<unknown> => {
    const result = await inCall(contextOf(request), async () => method(call));
    return definition.response && result !== HANDLED ? encode(definition.response, result) : result;
  };
  // Nothing is kept for a caller whom nobody knows. A route that takes bytes with a signature dedupes by itself.
  const { idempotencyKey } = call;
  const answer = await whileAllowed(open, definition, call, reply, () =>
    idempotencyKey !== undefined && definition.access !== 'public'
      ? idempotency.once(call, idempotencyKey, work)
      : work(),
  );
  return answer === HANDLED ? reply : reply.send(answer);
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
