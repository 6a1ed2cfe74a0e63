import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Run } from './programs.js';

export const NAMESPACE = 'roost';
/** Where pods run that no policy holds. */
export const CONTROL = 'roost-control';

export interface PodSeen {
  name: string;
  namespace: string;
  address: string;
  isReady: boolean;
}

interface ListedPod {
  metadata: { name: string; namespace: string; deletionTimestamp?: string };
  status: { podIP?: string; conditions?: { type: string; status: string }[] };
}

/** The cluster, by kubectl with the kubeconfig of the run alone. */
export class Kubectl {
  constructor(
    private readonly run: Run,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  ask(args: string[], options: { input?: string; timeoutMs?: number } = {}): Promise<string> {
    return this.run('kubectl', args, { ...options, env: this.env });
  }

  async pods(selector: string, namespace = NAMESPACE): Promise<PodSeen[]> {
    const text = await this.ask(['--namespace', namespace, 'get', 'pods', '--selector', selector, '--output', 'json']);
    return (JSON.parse(text) as { items: ListedPod[] }).items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, status }) => ({
        ...metadata,
        address: status.podIP ?? '',
        isReady: status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
      }));
  }

  /** One that is ready. Errors: there is none. */
  async pod(selector: string, namespace = NAMESPACE): Promise<PodSeen> {
    const found = (await this.pods(selector, namespace)).find(({ isReady }) => isReady);
    if (!found) throw new Error(`no pod is ready of ${selector}`);
    return found;
  }

  exec({ name, namespace }: PodSeen, command: string[], timeoutMs = 60_000): Promise<string> {
    return this.ask(['--namespace', namespace, 'exec', name, '--', ...command], { timeoutMs });
  }

  /** A port of this machine that leads to a service, until it is closed. */
  async forward(service: string, port: number): Promise<{ url: string; close(): void }> {
    const args = ['--namespace', NAMESPACE, 'port-forward', `service/${service}`, `:${port}`];
    const child = spawn('kubectl', args, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.resume();
    const lines = createInterface(child.stdout);
    const url = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => reject(new Error(`kubectl ${args.join(' ')} ended`)));
      lines.on('line', (line) => {
        const local = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (local !== undefined) resolve(`http://127.0.0.1:${local}`);
      });
    });
    return { url, close: () => void child.kill() };
  }
}
