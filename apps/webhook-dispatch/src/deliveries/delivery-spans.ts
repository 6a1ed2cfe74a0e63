import type { Tracer } from '#lib/tracing';
import { webhookIdOf } from './deliveries.repository.js';
import type { ClaimedDelivery } from './claims.repository.js';
import type { Outcome } from './send-delivery.js';

/** One attempt as a span of its event's trace, which the receiver is handed to go on with. Never throws. */
export async function tracedDelivery(
  tracer: Tracer,
  delivery: ClaimedDelivery,
  send: (traceparent: string | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  const parent = delivery.traceparent ?? undefined;
  const { hostname, port } = new URL(delivery.url);
  const span = tracer.start('POST', {
    kind: 'client',
    parent,
    attributes: {
      'http.request.method': 'POST',
      // The host alone: a path or a query may hold a secret of its owner's.
      'server.address': hostname,
      'server.port': port === '' ? undefined : Number(port),
      'http.request.resend_count': delivery.tries === 0 ? undefined : delivery.tries,
      'roost.account.id': delivery.account_id,
      'roost.agent.id': delivery.agent_id ?? undefined,
      'roost.webhook.id': webhookIdOf(delivery.event_id),
    },
  });
  const outcome = await send(span?.traceparent ?? parent);
  span?.set({ 'http.response.status_code': outcome.responseStatus ?? undefined, 'roost.outcome': outcome.status });
  if (outcome.status !== 'succeeded') span?.fail(String(outcome.responseStatus ?? outcome.status));
  span?.end();
  return outcome;
}
