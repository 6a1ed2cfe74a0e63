import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logText, startRoost, until } from '#lib/testing';
import { parser } from '@prometheus-io/lezer-promql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const folder = fileURLToPath(new URL('../../deploy/observability/', import.meta.url));
const read = (name: string) => readFileSync(`${folder}${name}`, 'utf8');

interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}
interface Dashboard {
  title: string;
  panels: {
    id: number;
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    targets: { expr: string }[];
  }[];
}
interface Compose {
  services: Record<string, { environment?: Record<string, string>; volumes?: string[] }>;
}

const { groups } = parse(read('alerts.yml')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('grafana/roost.json')) as Dashboard;
const queries = [
  ...rules.map(({ alert, expr }) => ({ where: alert, expr })),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr }))),
];

/** What Prometheus' own grammar finds in a query: the metrics it names with their labels, and where it does not fit. */
function inspect(expr: string) {
  const metrics: { name: string; labels: string[] }[] = [];
  const wrong: string[] = [];
  let current: { name: string; labels: string[] } | undefined;
  parser.parse(expr).iterate({
    enter({ type, from, to }) {
      const text = expr.slice(from, to);
      if (type.isError) wrong.push(`at ${from}: ${expr.slice(from, from + 20)}`);
      if (type.name === 'VectorSelector') metrics.push((current = { name: '', labels: [] }));
      if (type.name === 'Identifier' && current && current.name === '') current.name = text;
      if (type.name === 'LabelName' && current) current.labels.push(text);
    },
    leave({ type }) {
      if (type.name === 'VectorSelector') current = undefined;
    },
  });
  return { metrics, wrong };
}

/** Set by Prometheus itself. */
const OF_PROMETHEUS = { metrics: ['up'], labels: ['job', 'instance'] };

describe('the dashboard and the alert rules', () => {
  let roost: Awaited<ReturnType<typeof startRoost>>;
  /** Metrics as they are served, by name, with their labels' names as far as a series has any. */
  const exposed = new Map<string, Set<string>>();

  beforeAll(async () => {
    roost = await startRoost({ env: { ROOST_METRICS_PORT: '0' } });
    const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', {
      name: 'measured',
      configuration: { model: 'demo' },
    });
    const path = `/v1/agent/${agent.body.id}/messages`;
    const sent = await roost.api<{ id: string }>('POST', path, { content: 'hello' });
    await roost.api('GET', `${path}/${sent.body.id}?wait=30`);
    const urls = [...(await logText(join(roost.dataDir, 'roost.log'))).matchAll(/"metrics":"(http:[^"]+)"/g)].map(
      ([, url = '']) => url,
    );
    expect(urls.length).toBeGreaterThanOrEqual(7);
    await until('a turn is counted', async () => {
      for (const url of urls) collect(await (await fetch(url)).text());
      return exposed.get('roost_turns_ended_total')?.has('outcome');
    });
  });
  afterAll(() => roost?.stop());

  function collect(text: string): void {
    for (const [, name = ''] of text.matchAll(/^# TYPE (\w+) \w+$/gm))
      exposed.set(name, exposed.get(name) ?? new Set());
    for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{([^}]*)\})? \S+$/gm)) {
      const known = exposed.get(name) ?? new Set<string>();
      for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
      exposed.set(name, known);
    }
  }

  it.each(queries)('ask in PromQL, for metrics that services have: $where', ({ expr }) => {
    const { metrics, wrong } = inspect(expr);
    expect(wrong).toEqual([]);
    expect(metrics.length).toBeGreaterThan(0);
    for (const { name, labels } of metrics) {
      if (OF_PROMETHEUS.metrics.includes(name)) continue;
      // Of a histogram, `_count` and `_bucket` are there once something was observed; its name always.
      const family = name.replace(/_(bucket|count|sum)$/, '');
      expect([...exposed.keys()], expr).toContain(exposed.has(name) ? name : family);
      const own = labels.filter((label) => !OF_PROMETHEUS.labels.includes(label));
      const known = exposed.get(name);
      if (known && known.size > 0) expect([...known], `${name} has no such label`).toEqual(expect.arrayContaining(own));
    }
  });

  it('are found wrong where they are', () => {
    expect(inspect('sum(rate(x[5m]) by').wrong).not.toEqual([]);
    expect(inspect('max(roost_a{b="c"}) / roost_d').metrics).toEqual([
      { name: 'roost_a', labels: ['b'] },
      { name: 'roost_d', labels: [] },
    ]);
  });

  it('say what is wrong and what to do, and cover what an operator is woken for', () => {
    for (const { alert, for: after, labels, annotations } of rules) {
      expect(alert).toMatch(/^Roost[A-Z]\w+$/);
      expect(after, alert).toMatch(/^\d+m$/);
      expect(['page', 'warn'], alert).toContain(labels.severity);
      expect(annotations.summary.length, alert).toBeGreaterThan(10);
      expect(annotations.description.length, alert).toBeGreaterThan(20);
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const metric of [
      ...['roost_messages_oldest_age_seconds', 'roost_turns_ended_total', 'roost_webhook_oldest_due_age_seconds'],
      ...[
        'roost_nats_connected',
        'roost_data_free_bytes',
        'roost_outbox_oldest_age_seconds',
        'roost_model_calls_total',
      ],
    ])
      expect(rules.map(({ expr }) => expr).join('\n')).toContain(metric);
  });

  it('have no panel upon another', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w } }) =>
      Array.from({ length: w }, (_, n) => `${x + n}/${y}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

describe('the example of compose', () => {
  const override = parse(read('compose.override.yml'), { merge: true }) as Compose;
  const base = parse(readFileSync(fileURLToPath(new URL('../../docker-compose.yml', import.meta.url)), 'utf8'), {
    merge: true,
  }) as Compose;

  it('names files that are there, and services that are', () => {
    const own = Object.entries(override.services);
    const mounted = own.flatMap(([, { volumes = [] }]) => volumes).map((volume) => volume.split(':')[0] ?? '');
    for (const path of mounted.filter((volume) => volume.startsWith('./')))
      expect(() => readdirOrFile(path), path).not.toThrow();
    const added = ['collector', 'prometheus', 'grafana'];
    expect(
      own
        .map(([name]) => name)
        .filter((name) => !(name in base.services))
        .sort(),
    ).toEqual(added.sort());
    for (const [name, { environment }] of own.filter(([service]) => !added.includes(service)))
      expect(environment, name).toMatchObject({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' });
    const traced = own.map(([name]) => name).filter((name) => !added.includes(name));
    const { scrape_configs: scrapes } = parse(read('prometheus.yml')) as {
      scrape_configs: { dns_sd_configs: { names: string[] }[] }[];
    };
    expect(scrapes.flatMap(({ dns_sd_configs: found }) => found.flatMap(({ names }) => names)).sort()).toEqual(
      traced.sort(),
    );
  });

  it('has a collector whose pipelines name what it defines', () => {
    const collector = parse(read('collector.yml')) as Record<'receivers' | 'processors' | 'exporters', object> & {
      service: { pipelines: Record<string, Record<string, string[]>> };
    };
    for (const [pipeline, parts] of Object.entries(collector.service.pipelines))
      for (const kind of ['receivers', 'processors', 'exporters'] as const)
        expect(Object.keys(collector[kind]), `${pipeline} ${kind}`).toEqual(expect.arrayContaining(parts[kind] ?? []));
  });
});

function readdirOrFile(path: string): void {
  const absolute = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  try {
    readFileSync(absolute);
  } catch {
    readdirSync(absolute);
  }
}
