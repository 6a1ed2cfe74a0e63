import type { CoreV1Event, KubeConfig, KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import { orUndefined, statusOf } from '../host-errors.js';
import { FIELD_MANAGER } from './names.js';

type Client = typeof import('@kubernetes/client-node');

export interface KindOf {
  apiVersion: string;
  kind: string;
}

export interface ClusterOptions {
  client: Client;
  config: KubeConfig;
  namespace: string;
  /** How long a request is tried again while the API server is away, busy or in conflict. */
  patienceMs?: number | undefined;
}

const requestTimeoutMs = 10_000;
const maxWaitMs = 5_000;

/** The API server, asked until it answers. Every request may be repeated: each describes the wanted state, none a step. */
export class Cluster {
  private readonly objects;
  private readonly patienceMs: number;

  constructor(private readonly options: ClusterOptions) {
    this.objects = options.client.KubernetesObjectApi.makeApiClient(options.config);
    this.patienceMs = options.patienceMs ?? 20_000;
  }

  /** Server-side apply: makes the object, or sets our fields of it to these values. */
  apply<T extends KubernetesObject>(object: T): Promise<T> {
    const { ServerSideApply } = this.options.client.PatchStrategy;
    return this.asked(() => this.objects.patch(object, undefined, undefined, FIELD_MANAGER, true, ServerSideApply));
  }

  /** Sets the given fields of an object that exists. Undefined when it does not. */
  merge<T extends KubernetesObject>(object: T): Promise<T | undefined> {
    const { MergePatch } = this.options.client.PatchStrategy;
    return orUndefined(
      this.asked(() => this.objects.patch(object, undefined, undefined, FIELD_MANAGER, undefined, MergePatch)),
    );
  }

  find<T extends KubernetesObject>(kind: KindOf, name: string): Promise<T | undefined> {
    return orUndefined(this.asked(() => this.objects.read<T>({ ...kind, metadata: this.named(name) } as never)));
  }

  /** Deletes an object and, before it, everything that it owns. Idempotent; resolves when it is begun. */
  async delete(kind: KindOf, name: string): Promise<void> {
    const object = { ...kind, metadata: this.named(name) };
    await orUndefined(
      this.asked(() => this.objects.delete(object, undefined, undefined, undefined, undefined, 'Foreground')),
    );
  }

  list(kind: KindOf, labelSelector: string): Promise<KubernetesListObject<KubernetesObject>> {
    const { apiVersion, kind: name } = kind;
    return withTimeout(
      this.objects.list(
        apiVersion,
        name,
        this.options.namespace,
        ...([undefined, undefined, undefined, undefined] as const),
        labelSelector,
      ),
    );
  }

  /** What Kubernetes noted about an object lately, newest first; nothing where it cannot be asked. */
  async events(name: string): Promise<CoreV1Event[]> {
    const { items } = await withTimeout(
      this.objects.list<CoreV1Event>(
        'v1',
        'Event',
        this.options.namespace,
        ...([undefined, undefined, undefined] as const),
        `involvedObject.name=${name}`,
      ),
    ).catch(() => ({ items: [] }));
    return items.toSorted((a, b) => timeOf(b) - timeOf(a));
  }

  private named(name: string) {
    return { name, namespace: this.options.namespace };
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + this.patienceMs;
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, maxWaitMs)) {
      try {
        return await withTimeout(ask());
      } catch (error) {
        // A Retry-After is the least it wants us to wait; the jitter keeps replicas from asking in step.
        const delayMs = Math.max(retryAfterMs(error), waitMs * (0.5 + Math.random()));
        if (!mayRetry(error) || Date.now() + delayMs > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }
}

/** The API server's message, without the client's dump of headers. */
export function messageOf(error: unknown): string {
  const body = error instanceof Error && 'body' in error ? error.body : undefined;
  try {
    const parsed: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message);
  } catch {
    return String(body);
  }
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return error instanceof Error ? `${error.message}${cause}` : String(error);
}

/**
 * A field that no schema knows, which nothing but another request helps: API servers call it their own failure, a 500
 * (https://github.com/kubernetes/kubernetes/issues/122480).
 */
export const TYPED_PATCH = /failed to create typed patch object/;

function mayRetry(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 500 && TYPED_PATCH.test(messageOf(error))) return false;
  if (status === undefined) return !(error instanceof TypeError && error.cause === undefined);
  return status === 409 || status === 429 || status >= 500;
}

function retryAfterMs(error: unknown): number {
  const headers = error instanceof Error && 'headers' in error ? (error.headers as Record<string, string>) : {};
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) ? Math.min(seconds * 1_000, maxWaitMs) : 0;
}

function withTimeout<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${requestTimeoutMs / 1_000} seconds`)),
      requestTimeoutMs,
    );
  });
  return Promise.race([asked, tooLate]).finally(() => clearTimeout(timer));
}

function timeOf({ lastTimestamp, eventTime, metadata }: CoreV1Event): number {
  return new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();
}
