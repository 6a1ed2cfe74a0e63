import type { Span, Tracer } from '#lib/tracing';
import type { FastifyInstance } from 'fastify';
import { endpointOf } from './endpoint.js';
import { type ApiRequest, requestIdOf, traceparentOf } from './request.js';

/** Probes and pages ask all day; their traces would show nothing. */
const UNTRACED = /^\/(health(\/|$)|docs(\/|$)|openapi\.json$|\.well-known\/)/;

/**
 * Begins a trace with every request, or goes on with its caller's. A stranger's is not gone on with: on public routes,
 * where a signature or a password is all there is, anybody could have their requests kept, whatever the sampler says.
 */
export function traceRequests(server: FastifyInstance, tracer: Tracer): void {
  if (!tracer.isOn) return;
  const open = new WeakMap<object, Span>();
  server.addHook('onRequest', (request: ApiRequest, _reply, done) => {
    const route = request.routeOptions.url;
    if (UNTRACED.test(route ?? '')) return done();
    const isPublic = endpointOf(request.routeOptions)?.access === 'public';
    const span = tracer.start(route === undefined ? request.method : `${request.method} ${route}`, {
      kind: 'server',
      parent: isPublic ? undefined : traceparentOf(request),
      beginsTrace: true,
      // By route: ids and what a link holds are not to be read in traces.
      attributes: {
        'http.request.method': request.method,
        'http.route': route,
        'url.scheme': request.protocol,
        'roost.request.id': requestIdOf(request),
      },
    });
    if (span) {
      request.traceparent = span.traceparent;
      open.set(request, span);
    }
    done();
  });
  server.addHook('onResponse', (request: ApiRequest, reply, done) => {
    end(request, reply.statusCode);
    done();
  });
  // A response that its caller broke off has no `onResponse`.
  server.addHook('onRequestAbort', (request: ApiRequest, done) => {
    end(request, undefined);
    done();
  });

  function end(request: ApiRequest, status: number | undefined): void {
    const span = open.get(request);
    if (!span || !open.delete(request)) return;
    span.set({ 'http.response.status_code': status, 'roost.account.id': request.identity?.accountId });
    if (status === undefined) span.fail('aborted');
    else if (status >= 500) span.fail(String(status));
    span.end();
  }
}
