import type { CallContext } from '#lib/call-context';
import { spanTime, type SpanAttributes, type Tracer } from '#lib/tracing';

/** Reports how long a service that writes no spans itself was at it, if it is one. */
export type OnServed = (ms: number) => void;

/**
 * Sends a request in a client span of its own. A workspace's daemon has no way out for spans: it says how long it took,
 * and its span is written down here, within the caller's, by the caller's clock. Its start is a guess, since only the
 * duration is known: as much is taken for the way there as for the way back.
 */
export async function tracedRequest<T>(
  tracer: Tracer,
  { subject, isLocal }: { subject: string; isLocal: boolean },
  context: CallContext,
  send: (context: CallContext, onServed?: OnServed) => Promise<T>,
): Promise<T> {
  const startedAt = spanTime();
  const span = tracer.start(subject, {
    kind: 'client',
    parent: context.traceparent,
    startedAt,
    attributes: rpcAttributes(subject, isLocal),
  });
  if (!span) return send(context);
  let servedMs: number | undefined;
  try {
    return await send({ ...context, traceparent: span.traceparent }, (ms) => (servedMs = ms));
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    const endedAt = spanTime();
    if (servedMs !== undefined && subject.startsWith('workspace.')) {
      const ms = Math.min(Math.max(servedMs, 0), endedAt - startedAt);
      const begun = startedAt + (endedAt - startedAt - ms) / 2;
      tracer.record(subject, {
        kind: 'server',
        parent: span.traceparent,
        ofService: 'workspace',
        startedAt: begun,
        endedAt: begun + ms,
        attributes: { ...rpcAttributes(subject, false), 'roost.reported_by_caller': true },
      });
    }
    span.end(endedAt);
  }
}

export const rpcAttributes = (subject: string, isLocal: boolean): SpanAttributes => ({
  'rpc.system.name': isLocal ? 'in_process' : 'nats',
  'rpc.method': subject,
});
