import { AgentId } from '#lib/contracts';
import type { FastifyReply } from 'fastify';
import type { CallingRequest, Call, EndpointDefinition } from '../http/endpoint.js';
import { type AccessEnd, errorOf } from './access-ends.js';
import type { OpenRequests } from './open-requests.js';

/** What may take long and changes nothing half-way: reads, and bodies that stream in. */
const mayTakeLong = ({ method, accepts }: EndpointDefinition) =>
  method === 'GET' || accepts?.includes('stream') === true;

/**
 * Runs an endpoint for as long as its caller may call it. One that ends early answers with why; where the answer has
 * begun, `call.request.endReply` ends it (a stream of events says why, too), else the connection is closed.
 */
export function whileAllowed<T>(
  open: OpenRequests,
  definition: EndpointDefinition,
  call: Call,
  reply: FastifyReply,
  work: () => Promise<T>,
): Promise<T> {
  const request = call.request as CallingRequest;
  const { identity } = request;
  if (!identity || !mayTakeLong(definition)) return work();
  return new Promise<T>((resolve, reject) => {
    const end = (why: AccessEnd): void => {
      if (request.endReply) request.endReply(why);
      else if (reply.raw.headersSent) reply.raw.destroy();
      else {
        const error = errorOf(why);
        // The rest of a body is not read any more: what comes after it on this connection would not be understood.
        void reply.header('connection', 'close');
        reject(error);
        call.stream?.destroy(error);
      }
    };
    const agentId = AgentId.safeParse((call.params as { id?: unknown }).id).data;
    const forget = open.watch({
      identity,
      needsAgents: definition.access === 'account',
      agentId: request.routeOptions.url?.startsWith('/v1/agent/:id') ? agentId : undefined,
      end,
    });
    reply.raw.once('close', forget);
    work().then(resolve, reject);
  });
}
