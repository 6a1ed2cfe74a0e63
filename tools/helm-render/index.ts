import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { Evaluator } from './evaluate.js';
import { parseTemplate } from './parse.js';

/**
 * Renders a Helm chart as `helm template` does, for tests and for the manifests in deploy/kubernetes: where no helm is at
 * hand. It knows the part of Go's templates, Sprig and Helm that our chart uses (functions.ts) and refuses the rest
 * loudly. Not promised: any other chart.
 */
export interface RenderOptions {
  chart: string;
  release: string;
  namespace: string;
  /** Laid over values.yaml, maps by key. */
  values?: Values | undefined;
}

export type Values = { [name: string]: unknown };
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

export interface Rendered {
  /** By the template's file, as text. */
  files: Map<string, string>;
  manifests: Manifest[];
  notes: string;
}

/** Errors: what a template's `fail` or `required` says; what the renderer cannot read. */
export function renderChart({ chart, release, namespace, values = {} }: RenderOptions): Rendered {
  const read = (name: string) => readFileSync(join(chart, name), 'utf8');
  const names = readdirSync(join(chart, 'templates'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(yaml|tpl|txt)$/.test(name))
    .sort();
  const templates = names.map((name) => ({ name, ...parseTemplate(read(`templates/${name}`), name) }));
  const { name, version, appVersion } = parse(read('Chart.yaml')) as Record<string, string>;
  const root = {
    Values: overlay(parse(read('values.yaml')) as Values, values),
    Release: { Name: release, Namespace: namespace, Service: 'Helm' },
    Chart: { Name: name, Version: version, AppVersion: appVersion },
  };
  const evaluator = new Evaluator(templates);
  const texts = templates.map((template) => [template.name, evaluator.render(template.body, root).trim()] as const);
  const files = new Map(texts.filter(([file, text]) => file.endsWith('.yaml') && text !== ''));
  const manifests = [...files].flatMap(([file, text]) =>
    parseAllDocuments(text).flatMap((document) => {
      const [error] = document.errors;
      if (error) throw new SyntaxError(`${file}: ${error.message}`);
      const manifest = document.toJS() as Manifest | null;
      return manifest ? [manifest] : [];
    }),
  );
  return { files, manifests, notes: new Map(texts).get('NOTES.txt') ?? '' };
}

function overlay(base: Values, over: Values): Values {
  const isMap = (value: unknown): value is Values =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMap(below) && isMap(value) ? overlay(below, value) : value;
  }
  return merged;
}
