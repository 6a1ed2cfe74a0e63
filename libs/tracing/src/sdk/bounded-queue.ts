import { Counter } from '#lib/observability';
import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { TracingLog } from '../tracer.js';

/** So long as a receiver is away or slow, one line says so and how many spans that cost. */
const LOG_EVERY_MS = 60_000;
const MAX_REASON_CHARS = 200;

const droppedSpans = new Counter({
  name: 'roost_spans_dropped_total',
  help: 'Spans that were not sent to the receiver of traces: it is away, slow, or refuses them',
});

/** Of what the SDK calls back with. */
type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0];

/**
 * Ended spans on their way out: at most so many wait, those beyond are dropped at once. Whatever the receiver does, a
 * span costs its maker no more than a place in an array.
 */
export class BoundedQueue implements SpanProcessor {
  private readonly batches: SpanProcessor;
  private waiting = 0;
  private dropped = 0;
  private reason = '';
  private loggedAt = -Infinity;
  private isClosed = false;

  constructor(
    exporter: SpanExporter,
    batches: (exporter: SpanExporter) => SpanProcessor,
    private readonly maxWaiting: number,
    private readonly log: TracingLog,
  ) {
    this.batches = batches({
      export: (spans, done) => {
        this.waiting -= spans.length;
        exporter.export(spans, (result) => {
          this.exported(spans.length, result);
          // The SDK takes a failure for an error of its own to report: it is reported here.
          done({ ...result, code: 0 });
        });
      },
      shutdown: () => exporter.shutdown(),
    });
  }

  onStart(span: Span, context: Context): void {
    this.batches.onStart(span, context);
  }

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & 1) === 0 || this.isClosed) return;
    if (this.waiting >= this.maxWaiting) {
      this.lost(1, 'more spans end than the receiver takes');
      return;
    }
    this.waiting += 1;
    this.batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.batches.forceFlush();
  }

  async shutdown(): Promise<void> {
    this.isClosed = true;
    await this.batches.shutdown();
  }

  private exported(count: number, { code, error }: ExportResult): void {
    if (code !== 0) this.lost(count, error?.message ?? 'the receiver refused them');
  }

  private lost(count: number, reason: string): void {
    this.dropped += count;
    droppedSpans.inc(count);
    this.reason = reason.slice(0, MAX_REASON_CHARS);
    if (Date.now() - this.loggedAt < LOG_EVERY_MS) return;
    this.loggedAt = Date.now();
    this.log.warn({ dropped: this.dropped, reason: this.reason }, 'spans could not be sent and are lost');
    this.dropped = 0;
  }
}
