import type { KubeConfig, KubernetesObject } from '@kubernetes/client-node';
import { statusOf } from '../host-errors.js';
import type { Cluster, KindOf } from './cluster.js';

type Client = typeof import('@kubernetes/client-node');

export interface InformerOptions {
  client: Client;
  config: KubeConfig;
  cluster: Cluster;
  kind: KindOf;
  /** The collection's path, e.g. `/api/v1/namespaces/roost/pods`. */
  path: string;
  selector: string;
  /** A watch that sends nothing for so long, not even a bookmark, counts as broken and is opened again. */
  silenceMs?: number | undefined;
  onChange(): void;
  onTrouble(error: unknown): void;
}

const maxWaitMs = 5_000;

/**
 * A copy of our objects of one kind, maintained by list and watch. A gap (410 Gone) leads to a new list, a silent or broken
 * watch to a new one from where it was. Not promised: that the copy is of this moment.
 */
export class Informer<T extends KubernetesObject> {
  readonly objects = new Map<string, T>();
  private resourceVersion: string | undefined;
  private isClosed = false;
  private controller: AbortController | undefined;
  private isSynced = false;
  private readonly synced: Promise<void>;
  private setSynced: () => void = () => undefined;

  constructor(private readonly options: InformerOptions) {
    this.synced = new Promise((resolve) => (this.setSynced = resolve));
    void this.run();
  }

  /** Resolves when the first list is here. */
  ready(): Promise<void> {
    return this.synced;
  }

  close(): void {
    this.isClosed = true;
    this.controller?.abort();
    this.setSynced();
  }

  private async run(): Promise<void> {
    for (let waitMs = 50; !this.isClosed;) {
      try {
        if (this.resourceVersion === undefined) await this.relist();
        const openedAt = Date.now();
        await this.watch();
        waitMs = 50;
        // A server that closes every watch at once must not be asked in a tight loop.
        if (Date.now() - openedAt < 100) await new Promise((resolve) => setTimeout(resolve, waitMs));
      } catch (error) {
        if (this.isClosed) return;
        if (statusOf(error) === 410) {
          this.resourceVersion = undefined;
          continue;
        }
        this.options.onTrouble(error);
        await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random())));
        waitMs = Math.min(waitMs * 2, maxWaitMs);
      }
    }
  }

  private async relist(): Promise<void> {
    const { kind, cluster, selector } = this.options;
    const list = await cluster.list(kind, selector);
    this.objects.clear();
    for (const item of list.items) this.objects.set(item.metadata?.name ?? '', item as T);
    this.resourceVersion = list.metadata?.resourceVersion ?? '';
    if (!this.isSynced) {
      this.isSynced = true;
      this.setSynced();
    }
    this.options.onChange();
  }

  private async watch(): Promise<void> {
    const { client, config, path, selector, silenceMs = 60_000 } = this.options;
    const watch = new client.Watch(config);
    // The client's own limit is of 30 s, which a quiet cluster passes between two bookmarks.
    Object.assign(watch, { requestTimeoutMs: silenceMs });
    const query = {
      labelSelector: selector,
      resourceVersion: this.resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: 300,
    };
    let failure: unknown;
    await new Promise<void>((resolve, reject) => {
      watch
        .watch(
          path,
          query,
          (phase: string, object: T & { code?: number }) => {
            if (phase === 'ERROR') {
              failure = Object.assign(new Error('the watch failed'), { code: object.code ?? 500 });
              this.controller?.abort();
            } else this.take(phase, object);
          },
          (error: unknown) => {
            if (failure !== undefined) reject(toError(failure));
            else if (error && !isSilence(error)) reject(toError(error));
            else resolve();
          },
        )
        .then((controller) => {
          this.controller = controller;
          if (this.isClosed) controller.abort();
        }, reject);
    });
  }

  private take(phase: string, object: T): void {
    const { name = '', resourceVersion } = object.metadata ?? {};
    if (resourceVersion !== undefined) this.resourceVersion = resourceVersion;
    if (phase === 'BOOKMARK') return;
    if (phase === 'DELETED') this.objects.delete(name);
    else this.objects.set(name, object);
    this.options.onChange();
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The watch was opened and nothing came: it goes on from where it was. */
function isSilence(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}
