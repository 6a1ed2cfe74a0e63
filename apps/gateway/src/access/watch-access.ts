import { AgentId } from '#lib/contracts';
import type { FastifyInstance } from 'fastify';
import { type EndpointDefinition, endpointOf } from '../http/endpoint.js';
import { onClose } from '../http/on-close.js';
import { type ApiRequest, isRead } from '../http/request.js';
import { sendError } from '../http/send-error.js';
import { type AccessEnd, errorOf } from './access-ends.js';
import type { OpenRequests } from './open-requests.js';

/** What may take long and changes nothing half-way: reads, and bodies that stream in. */
const mayTakeLong = (method: string, { accepts }: EndpointDefinition) =>
  isRead(method) || accepts?.includes('stream') === true;

/**
 * Lets a request go on for as long as its caller may call the endpoint. One that ends early is answered with why; where
 * the response has begun, `request.endReply` ends it (a stream of events says why, too), else the connection is closed.
 */
export function watchAccess(server: FastifyInstance, open: OpenRequests): void {
  const answered = new WeakSet<object>();
  // Results and errors alike, which are whole; not streams.
  server.addHook('preSerialization', (request, _reply, payload, done) => {
    answered.add(request);
    done(null, payload);
  });
  server.addHook('preHandler', (request: ApiRequest, reply, done) => {
    const { identity } = request;
    const endpoint = endpointOf(request.routeOptions);
    if (!identity || !endpoint || !mayTakeLong(request.method, endpoint)) return done();
    const end = (why: AccessEnd): void => {
      if (request.endReply) return request.endReply(why);
      // The answer is known and on its way, compressed perhaps: to close the connection now would cut it off.
      if (reply.raw.writableEnded || answered.has(request)) return;
      if (reply.raw.headersSent) {
        reply.raw.destroy();
        return;
      }
      const error = errorOf(why);
      sendError(request, reply, error);
      request.bodyStream?.destroy(error);
    };
    const isOfAgent = request.routeOptions.url?.startsWith('/v1/agent/:id');
    const forget = open.watch({
      identity,
      needsAgents: endpoint.access === 'account',
      agentId: isOfAgent ? AgentId.safeParse((request.params as { id?: unknown }).id).data : undefined,
      end,
    });
    onClose(reply.raw, forget);
    done();
  });
}
