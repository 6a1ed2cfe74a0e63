import { join } from 'node:path';
import type { ClusterKind, Run } from './programs.js';

export interface ClusterOptions {
  kind: ClusterKind;
  name: string;
  /** Temporary; holds the kubeconfig, so that nobody's own is touched. */
  folder: string;
  configFile: string;
  run: Run;
}

export interface Cluster {
  /** Whether it was there before. */
  isOld: boolean;
  kubeconfig: string;
  load(images: string[]): Promise<void>;
  delete(): Promise<void>;
}

/** Makes a cluster, or takes the one of that name. */
export async function openCluster({ kind, name, folder, configFile, run }: ClusterOptions): Promise<Cluster> {
  const kubeconfig = join(folder, 'kubeconfig');
  if (kind === 'kind') {
    const isOld = (await run('kind', ['get', 'clusters'])).split('\n').includes(name);
    if (isOld) await run('kind', ['export', 'kubeconfig', '--name', name, '--kubeconfig', kubeconfig]);
    else {
      const files = ['--config', configFile, '--kubeconfig', kubeconfig];
      await run('kind', ['create', 'cluster', '--name', name, ...files, '--wait', '180s']);
    }
    return {
      isOld,
      kubeconfig,
      load: async (images) => void (await run('kind', ['load', 'docker-image', ...images, '--name', name])),
      delete: async () => void (await run('kind', ['delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig])),
    };
  }
  const known = JSON.parse((await run('k3d', ['cluster', 'list', '--output', 'json'])) || '[]') as { name: string }[];
  const isOld = known.some((cluster) => cluster.name === name);
  if (!isOld) {
    const quiet = ['--kubeconfig-update-default=false', '--kubeconfig-switch-context=false'];
    await run('k3d', ['cluster', 'create', name, '--agents', '1', '--wait', '--timeout', '180s', ...quiet]);
  }
  await run('k3d', ['kubeconfig', 'write', name, '--output', kubeconfig]);
  return {
    isOld,
    kubeconfig,
    load: async (images) => void (await run('k3d', ['image', 'import', ...images, '--cluster', name])),
    delete: async () => void (await run('k3d', ['cluster', 'delete', name])),
  };
}
