import { fileURLToPath } from 'node:url';
import { renderChart } from './index.js';

const root = fileURLToPath(import.meta.url.replace(/(\/dist)?\/tools\/helm-render\/.*$/, '/'));

export const chartFolder = `${root}deploy/helm/roost`;
export const manifestsFile = `${root}deploy/kubernetes/roost.yaml`;

const heading = `# Made from deploy/helm/roost by \`npm run manifests\`: change that, not this. For the namespace "roost":
#   kubectl create namespace roost
#   kubectl label namespace roost pod-security.kubernetes.io/enforce=restricted
#   kubectl --namespace roost create secret generic roost-secrets --from-file=secrets
#   kubectl --namespace roost apply --filename deploy/kubernetes/roost.yaml
`;

/** The chart with its own values, as plain manifests; what only `helm test` runs is left out. */
export function plainManifests(): string {
  const { files } = renderChart({ chart: chartFolder, release: 'roost', namespace: 'roost' });
  const texts = [...files].filter(([file]) => !file.startsWith('tests/')).map(([, text]) => text.replace(/^---\n/, ''));
  return `${heading}---\n${texts.join('\n---\n')}\n`;
}
