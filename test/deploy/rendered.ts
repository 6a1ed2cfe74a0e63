import { type Manifest, type RenderedChart, renderChart, type Values } from '#tools/helm';
import { KubernetesSettings } from '../../apps/agent-lifecycle/src/sandboxes/kubernetes/settings.js';

const rendered = new Map<string, Promise<RenderedChart>>();

/** The chart with these values; once for the same values, since each takes a process of helm. */
export function render(values: Values = {}): Promise<RenderedChart> {
  const key = JSON.stringify(values);
  const known = rendered.get(key) ?? renderChart(values);
  rendered.set(key, known);
  return known;
}

/** How the lifecycle service is told to make sandboxes, ROOST_KUBERNETES. */
export function sandboxSettings(manifests: Manifest[]): KubernetesSettings {
  const text = /"name":"ROOST_KUBERNETES","value":("(?:[^"\\]|\\.)*")/.exec(JSON.stringify(manifests))?.[1] ?? '""';
  return KubernetesSettings.parse(JSON.parse(JSON.parse(text) as string));
}
