import { Histogram } from '#lib/observability';
import type { FastifyInstance } from 'fastify';

const duration = new Histogram({
  name: 'roost_http_request_duration_seconds',
  help: 'Time from the arrival of a request to the end of its answer, by route',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
});

/** Counts and times requests. By route and not by address: ids would make a series each. */
export function measureRequests(server: FastifyInstance): void {
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    duration.observe(labels, reply.elapsedTime / 1_000);
    done();
  });
}
