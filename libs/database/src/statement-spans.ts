import { spanTime, type Span, type SpanAttributes, type Tracer } from '#lib/tracing';
import type { Query } from './statements.js';

/** A transaction's statements, one after the other; their parameters are never in it. */
const MAX_TEXT_CHARS = 2_000;
const MAX_SUMMARY_PARTS = 4;
/** As many as are prepared by name; text that is made at run time must not fill memory. */
const MAX_KNOWN = 1_000;

/** Makes spans of what a service asks PostgreSQL, within a trace: one for a statement, one for a transaction. */
export class StatementSpans {
  private readonly summaries = new Map<string, string>();

  constructor(
    private readonly tracer: Tracer,
    private readonly schema: string,
  ) {}

  get isOn(): boolean {
    return this.tracer.isOn;
  }

  statement<T>(sql: string, work: () => Promise<T>): Promise<T> {
    const summary = this.summaryOf(sql);
    const attributes = { ...this.attributes(), 'db.query.summary': summary, 'db.query.text': oneLine(sql) };
    return this.tracer.span(summary, { kind: 'client', attributes }, work);
  }

  /** `work` is handed what notes the statements of a connection. */
  transaction<T>(work: (noted: (query: Query) => Query) => Promise<T>): Promise<T> {
    return this.tracer.span('transaction', { kind: 'client', attributes: this.attributes() }, async (span) => {
      if (!span) return work((query) => query);
      const statements: string[] = [];
      try {
        return await work((query) => (sql, parameters) => {
          statements.push(sql);
          return query(sql, parameters);
        });
      } finally {
        this.describe(span, statements);
      }
    });
  }

  /** Writes down a statement that served several traces at once, in each of them. */
  shared(traceparents: string[], sql: string, startedAt: number): void {
    const endedAt = spanTime();
    const summary = this.summaryOf(sql);
    const attributes = {
      ...this.attributes(),
      'db.query.summary': summary,
      'db.query.text': oneLine(sql),
      'roost.batch.size': traceparents.length,
    };
    for (const parent of traceparents)
      this.tracer.record(summary, { kind: 'client', parent, startedAt, endedAt, attributes });
  }

  private describe(span: Span, statements: string[]): void {
    const summaries = [...new Set(statements.map((sql) => this.summaryOf(sql)))].slice(0, MAX_SUMMARY_PARTS);
    span.set({
      'db.query.summary': summaries.join('; '),
      'db.query.text': statements.map(oneLine).join('; ').slice(0, MAX_TEXT_CHARS),
      'db.operation.batch.size': statements.length,
    });
  }

  private attributes(): SpanAttributes {
    return { 'db.system.name': 'postgresql', 'db.namespace': this.schema };
  }

  private summaryOf(sql: string): string {
    const known = this.summaries.get(sql);
    if (known !== undefined) return known;
    const summary = summarize(sql);
    if (this.summaries.size < MAX_KNOWN) this.summaries.set(sql, summary);
    return summary;
  }
}

/** What a statement changes; where it changes nothing, what it reads first. */
function summarize(sql: string): string {
  const changes = [...sql.matchAll(/\b(INSERT INTO|DELETE FROM|UPDATE)\s+([a-z_]+)/g)].map(
    ([, verb = '', table = '']) => `${verb.split(' ')[0]} ${table}`,
  );
  if (changes.length > 0) return [...new Set(changes)].slice(0, MAX_SUMMARY_PARTS).join(' ');
  const table = /\bFROM\s+([a-z_]+)/.exec(sql)?.[1];
  return table === undefined ? 'SELECT' : `SELECT ${table}`;
}

const oneLine = (sql: string) => sql.replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT_CHARS);
