import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { admit } from './admission.js';
import { FieldOwners } from './apply.js';
import { Controllers, involved } from './controllers.js';
import { Kubelet, type PodProcess, type PodStart } from './kubelet.js';
import { ObjectStore } from './object-store.js';
import { ApiRefusal, type Plural, resources, type Stored } from './objects.js';
import { type ApiRequest, matches } from './requests.js';
import { openWatch } from './watches.js';

export interface KubernetesDoubleOptions {
  /** Starts the process of a pod's only container. */
  start(pod: PodStart): PodProcess;
  /** After a crash; a real kubelet takes 10 s and more. */
  restartMs?: number;
  bookmarkMs?: number;
}

/** What befalls one request: an answer instead of its own, a connection that breaks, a watch that goes silent. */
export type Fault =
  | { kind: 'status'; status: 409 | 410 | 429 | 500 | 503; retryAfterSeconds?: number }
  | { kind: 'break-before' }
  | { kind: 'break-after' }
  | { kind: 'silence' };

/**
 * A Kubernetes API server with its controllers and one kubelet, as far as workspaces meet it: list and watch with
 * resource versions, server-side apply, finalizers and garbage collection, Pod Security "restricted", quotas. It speaks
 * HTTP to the unmodified client. Not promised: anything of kinds and fields that workspaces do not use.
 */
export class KubernetesDouble {
  readonly store = new ObjectStore();
  readonly kubelet: Kubelet;
  readonly controllers: Controllers;
  /** Every `verb resource` that was asked for: what the Role has to grant. */
  readonly verbs = new Set<string>();
  /** Asked at each request. */
  fault: (request: ApiRequest) => Fault | undefined = () => undefined;
  private readonly owners = new FieldOwners();
  private readonly server: Server;
  private port = 0;

  constructor(private readonly options: KubernetesDoubleOptions) {
    this.kubelet = new Kubelet({
      store: this.store,
      start: options.start,
      restartMs: options.restartMs ?? 300,
      onChange: () => this.controllers.soon(),
    });
    this.controllers = new Controllers(this.store, () => this.kubelet);
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Goes away as a crashed API server does, with every connection; pods go on. `listen` brings it back. */
  async hangUp(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async close(): Promise<void> {
    this.controllers.close();
    if (this.server.listening) await this.hangUp();
    await this.kubelet.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const discovered = discovery(url.pathname);
    if (discovered) return send(response, 200, discovered);
    try {
      const asked = read(request.method ?? 'GET', url);
      const body = await text(request);
      this.verbs.add(`${asked.verb} ${asked.plural}`);
      const fault = this.fault(asked);
      if (fault?.kind === 'break-before') return void request.socket.destroy();
      if (fault?.kind === 'status') {
        throw new ApiRefusal(fault.status, 'Fault', 'a fault of the test', fault.retryAfterSeconds);
      }
      if (asked.verb === 'watch') {
        const isSilent = fault?.kind === 'silence';
        return openWatch(this.store, asked, response, { isSilent, bookmarkMs: this.options.bookmarkMs ?? 5_000 });
      }
      const result = this.carryOut(asked, request, body);
      if (fault?.kind === 'break-after') return void request.socket.destroy();
      send(response, 200, result);
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      const { status, reason, message, retryAfterSeconds } = error;
      if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
      send(response, status, { apiVersion: 'v1', kind: 'Status', status: 'Failure', code: status, reason, message });
    }
  }

  private carryOut(asked: ApiRequest, request: IncomingMessage, body: string): unknown {
    const { verb, plural, namespace, name = '' } = asked;
    if (verb === 'list') return this.list(asked);
    const found = this.store.find(plural, namespace, name);
    if (verb === 'patch') return this.patch(asked, found, request, JSON.parse(body) as Stored);
    if (!found) throw new ApiRefusal(404, 'NotFound', `${plural} "${name}" not found`);
    if (verb === 'get') return found;
    const isForeground = asked.query.get('propagationPolicy') === 'Foreground';
    if (verb === 'delete') return this.controllers.delete(found, plural, isForeground);
    throw new ApiRefusal(405, 'MethodNotAllowed', `${verb} is not served`);
  }

  private list({ plural, namespace, query }: ApiRequest): unknown {
    const about = /involvedObject\.name=([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1];
    const items = this.store
      .all(plural)
      .filter(
        ({ metadata }) => metadata.namespace === namespace && matches(query.get('labelSelector'), metadata.labels),
      )
      .filter((object) => about === undefined || involved(object) === about);
    const metadata = { resourceVersion: String(this.store.resourceVersion) };
    return { apiVersion: 'v1', kind: 'List', metadata, items };
  }

  private patch(asked: ApiRequest, found: Stored | undefined, request: IncomingMessage, body: Stored): unknown {
    const { plural, namespace, name = '', query } = asked;
    const manager = query.get('fieldManager') ?? 'unknown';
    const type = request.headers['content-type'] ?? '';
    if (type.startsWith('application/merge-patch+json')) {
      if (!found) throw new ApiRefusal(404, 'NotFound', `${plural} "${name}" not found`);
      return this.store.update(plural, this.owners.merge(found, body, manager));
    }
    if (!type.startsWith('application/apply-patch+yaml')) {
      throw new ApiRefusal(415, 'UnsupportedMediaType', `the body of the request was in an unknown format: ${type}`);
    }
    if (!query.get('fieldManager')) throw new ApiRefusal(400, 'BadRequest', 'fieldManager is required for apply patch');
    const isNew = found === undefined;
    if (isNew) {
      this.verbs.add(`create ${plural}`);
      admit(this.store, this.controllers.rules, plural, name);
    }
    const { apiVersion, kind, metadata } = body;
    const before =
      found ??
      this.store.create(plural, { apiVersion, kind, metadata: { name, namespace, labels: metadata.labels ?? {} } });
    const next = this.owners.apply(before, body, manager, query.get('force') === 'true');
    if (!isNew) refuseFrozen(plural, before, next);
    return this.store.update(plural, next);
  }
}

/** Errors: 422 for what may not change once it is there. */
function refuseFrozen(plural: Plural, before: Stored, next: Stored): void {
  const sizeOf = ({ spec }: Stored) =>
    Number((spec as { resources?: { requests?: { storage?: string } } }).resources?.requests?.storage ?? 0);
  if (plural === 'persistentvolumeclaims' && sizeOf(next) < sizeOf(before)) {
    throw new ApiRefusal(
      422,
      'Invalid',
      'spec.resources.requests.storage: Forbidden: field can not be less than previous value',
    );
  }
  const frozen = (object: Stored) => JSON.stringify([object.spec?.['serviceName'], object.spec?.['selector']]);
  if (plural === 'statefulsets' && frozen(before) !== frozen(next)) {
    throw new ApiRefusal(422, 'Invalid', 'spec: Forbidden: updates to statefulset spec for fields other than these');
  }
}

function read(method: string, url: URL): ApiRequest {
  const pattern = /^\/(?:api\/v1|apis\/([^/]+)\/v1)\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/;
  const [, group = '', namespace = '', plural = '', name] = pattern.exec(url.pathname) ?? [];
  const resource = resources.find((known) => known.plural === plural && known.group === group);
  if (!resource) throw new ApiRefusal(404, 'NotFound', `the server could not find ${url.pathname}`);
  const isWatch = url.searchParams.get('watch') === 'true';
  const verbs: Record<string, string> = {
    GET: name ? 'get' : isWatch ? 'watch' : 'list',
    PATCH: 'patch',
    POST: 'create',
    DELETE: 'delete',
  };
  const verb = verbs[method] ?? method.toLowerCase();
  return { verb, plural: resource.plural, namespace, name, query: url.searchParams };
}

function discovery(path: string): unknown {
  const [, group = ''] = /^\/(?:api|apis\/([^/]+))\/v1$/.exec(path) ?? [undefined, undefined];
  if (!/^\/(api|apis\/[^/]+)\/v1$/.test(path)) return undefined;
  const list = resources
    .filter((resource) => resource.group === group)
    .map(({ plural, kind }) => ({ name: plural, singularName: '', namespaced: true, kind, verbs: [] }));
  return { kind: 'APIResourceList', groupVersion: group ? `${group}/v1` : 'v1', resources: list };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
