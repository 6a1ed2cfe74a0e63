import { execFileSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';
import { chartFolder, helmProgram } from './helm-program.js';

export type Values = { [name: string]: unknown };

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

export interface RenderedChart {
  /** What an installation makes, and what `helm test` runs. */
  manifests: Manifest[];
  notes: string;
}

const release = ['roost', chartFolder, '--namespace', 'roost'];

/**
 * Roost's chart with these values over its own, as `helm install` would make it; no cluster is asked.
 * Errors: helm's own, with what a template's `fail` or `required` says or what values.schema.json refuses.
 */
export async function renderChart(values: Values = {}): Promise<RenderedChart> {
  const text = await helm(['install', ...release, '--dry-run=client', '--output', 'json', '--values', '-'], values);
  const { manifest, hooks, info } = JSON.parse(text) as {
    manifest: string;
    hooks?: { manifest: string }[];
    info: { notes: string };
  };
  const texts = [manifest, ...(hooks ?? []).map((hook) => hook.manifest)];
  return { manifests: texts.flatMap(manifestsOf), notes: info.notes };
}

const heading = `# Made from deploy/helm/roost by \`npm run manifests\`: change that, not this. For the namespace "roost":
#   kubectl create namespace roost
#   kubectl label namespace roost pod-security.kubernetes.io/enforce=restricted
#   kubectl --namespace roost create secret generic roost-secrets --from-file=secrets
#   kubectl --namespace roost apply --filename deploy/kubernetes/roost.yaml
`;

/** The chart with its own values, as plain manifests; what only `helm test` runs is left out. */
export async function plainManifests(): Promise<string> {
  return heading + (await helm(['template', ...release, '--skip-tests'])).replace(/^# Source: .*\n/gm, '');
}

/** What `helm lint --strict` says with these values over the chart's own. Errors: when it finds something wrong. */
export const lintChart = (values: Values = {}) =>
  helm(['lint', chartFolder, '--namespace', 'roost', '--strict', '--values', '-'], values);

async function helm(args: string[], values?: Values): Promise<string> {
  return execFileSync(await helmProgram(), args, {
    encoding: 'utf8',
    // Nobody's own settings, repositories or cluster.
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', KUBECONFIG: '/dev/null' },
    input: JSON.stringify(values ?? {}),
    stdio: 'pipe',
    maxBuffer: 16 * 1024 * 1024,
  });
}

function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new SyntaxError(`${error.message} in:\n${text}`);
    const manifest = document.toJS() as Manifest | null;
    return manifest ? [manifest] : [];
  });
}
