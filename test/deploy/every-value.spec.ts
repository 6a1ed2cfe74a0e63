import { readFileSync } from 'node:fs';
import { chartFolder, lintChart, type Manifest, type Values } from '#tools/helm';
import { describe, expect, it } from 'vitest';
import { isMap, parse, parseDocument } from 'yaml';
import { render } from './rendered.js';
import { validate } from './validate.js';
import { valueSets } from './value-sets.js';

/** A process of helm for each value: `npm run test:kubernetes`. */
const isFull = process.env['ROOST_FULL'] === '1';

const text = readFileSync(`${chartFolder}/values.yaml`, 'utf8');
const defaults = parse(text) as Values;
const leaves = leavesOf(defaults);

/** What a value is set to where adding something to it would not do. */
const others: Record<string, unknown> = {
  'image.pullPolicy': 'Never',
  imagePullSecrets: [{ name: 'registry' }],
  publicUrl: 'https://roost.example',
  logLevel: 'debug',
  env: { SOME: 'thing' },
  envFrom: [{ secretRef: { name: 'more' } }],
  nodeSelector: { pool: 'a' },
  tolerations: [{ operator: 'Exists' }],
  'workspaces.imagePullPolicy': 'Never',
  'workspaces.imagePullSecrets': ['registry'],
  'workspaces.nodeSelector': { pool: 'a' },
  'workspaces.tolerations': [{ operator: 'Exists' }],
  'workspaces.quota': { pods: '3' },
  'nats.peer': { podSelector: { matchLabels: { app: 'nats' } } },
  'ingress.annotations': { a: 'b' },
  'httpRoute.parentRefs': [{ name: 'other' }],
  'httpRoute.hostnames': ['other.example'],
  'networkPolicy.gatewayFrom': [{ podSelector: {} }],
  'networkPolicy.metricsFrom': [{ podSelector: {} }],
};

/** Without what a value has no effect; the value itself wins. */
const peer = { podSelector: { matchLabels: { app: 'bus' } } };
const prerequisites: [RegExp, Values][] = [
  [/^ingress\./, { ingress: { enabled: true, host: 'roost.example' } }],
  [/^httpRoute\./, { httpRoute: { enabled: true, parentRefs: [{ name: 'public' }] } }],
  [/^postgres\.(port)$/, { postgres: { bundled: false } }],
  [/^nats\.(host|port|peer|bundled)$/, { nats: { bundled: false, peer } }],
];

/** Kubernetes does not let an upgrade change what these set: values.yaml says so of each. */
const fixedOnceInstalled = ['nats.storage', 'nats.storageClass', 'postgres.storage', 'postgres.storageClass'];

describe.runIf(isFull)('every value of the chart', () => {
  const fixed: string[] = [];
  it.each(leaves)('changes what is installed, into something an API server accepts: %s', async (leaf) => {
    const needed = prerequisites.find(([of]) => of.test(leaf))?.[1] ?? {};
    const other = at(defaults, leaf);
    const changed = leaf in others ? others[leaf] : anotherThan(leaf, other);
    const base = leaf.endsWith('.bundled') || leaf.endsWith('.enabled') ? {} : needed;
    const [before, after] = [await render(base), await render(merged(needed, nested(leaf, changed)))];
    expect(after.manifests).not.toEqual(before.manifests);
    for (const manifest of after.manifests) await validate(manifest);
    if (JSON.stringify(immutable(before.manifests)) !== JSON.stringify(immutable(after.manifests))) fixed.push(leaf);
  });

  it('can be changed by an upgrade, but for those that are said to be fixed', () => {
    expect(fixed.filter((leaf) => !/(bundled|enabled)$/.test(leaf)).sort()).toEqual(fixedOnceInstalled);
  });

  it.each(Object.entries(valueSets))('passes helm lint --strict: %s', async (_, values) => {
    await expect(lintChart(values)).resolves.toContain('0 chart(s) failed');
  });
});

describe('values.yaml', () => {
  it('says of what is fixed once installed that it is', () => {
    const document = parseDocument(text).contents;
    const commented = fixedOnceInstalled.filter((leaf) => {
      const [map, key] = leaf.split('.') as [string, string];
      const inner = isMap(document) && document.get(map, true);
      const pair = isMap(inner) && inner.items.find((item) => String(item.key) === key);
      const { commentBefore = '' } = (pair ? pair.key : {}) as { commentBefore?: string };
      return commentBefore.includes('Fixed once installed');
    });
    expect(commented).toEqual(fixedOnceInstalled);
  });

  it('is in the sets of values as a whole, so that each is rendered, checked and linted with another value', () => {
    const set = new Set(Object.values(valueSets).flatMap((values) => leavesOf(values, defaults)));
    expect(leaves.filter((leaf) => !set.has(leaf) && !/^services\.|\.resources\./.test(leaf))).toEqual([]);
  });
});

/** Paths of what holds no further values: of an empty map or a list the whole. `like` says what counts as a map of values. */
function leavesOf(values: Values, like: Values = values, prefix = ''): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = prefix ? `${prefix}.${name}` : name;
    const model = at(like, name);
    const isBranch = isValues(value) && isValues(model) && Object.keys(model).length > 0;
    return isBranch ? leavesOf(value, model, path) : [path];
  });
}

function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function at(values: Values, path: string): unknown {
  if (path in values) return values[path];
  return path.split('.').reduce<unknown>((inner, name) => (isValues(inner) ? inner[name] : undefined), values);
}

function nested(path: string, value: unknown): Values {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Values;
}

function merged(one: Values, other: Values): Values {
  const result = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const known = result[name];
    result[name] = isValues(known) && isValues(value) ? merged(known, value) : value;
  }
  return result;
}

function anotherThan(leaf: string, value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (isValues(value)) return { SOME: 'thing' };
  // Quantities grow by a digit, names by a letter.
  return /(storage|cpu|memory)$/.test(leaf) ? `1${String(value)}` : `${String(value)}a`;
}

/** What the API server refuses to change of an object that is there. */
function immutable(manifests: Manifest[]): unknown[] {
  return manifests.flatMap(({ kind, metadata: { name }, ...rest }) => {
    const spec = (rest['spec'] ?? {}) as Values;
    switch (kind) {
      case 'Deployment':
        return [[kind, name, spec['selector']]];
      case 'StatefulSet':
        return [
          [
            kind,
            name,
            spec['selector'],
            spec['serviceName'],
            spec['podManagementPolicy'],
            spec['volumeClaimTemplates'],
          ],
        ];
      case 'RoleBinding':
        return [[kind, name, rest['roleRef']]];
      default:
        return [];
    }
  });
}
