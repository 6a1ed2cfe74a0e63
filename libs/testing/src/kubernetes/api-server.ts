import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { admit } from './admission.js';
import { FieldOwners } from './apply.js';
import { Controllers, involved } from './controllers.js';
import { type DeclaredFields, declaredFields } from './declared-fields.js';
import { Kubelet, type PodProcess, type PodStart } from './kubelet.js';
import { ObjectStore } from './object-store.js';
import { ApiRefusal, type Plural, resources, type Stored } from './objects.js';
import { forbidden, invalid, invalidObject, notFound, outdated, untyped } from './refusals.js';
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
  /** To the letter, as a real server or what stands before it was seen to answer. */
  | { kind: 'answer'; status: number; contentType: string; body: string; retryAfterSeconds?: number }
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
  private fields: DeclaredFields | undefined;
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
    this.fields ??= await declaredFields();
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
    const asked = read(request.method ?? 'GET', url);
    if (!asked) return void response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
    try {
      const body = await text(request);
      this.verbs.add(`${asked.verb} ${asked.plural}`);
      const fault = this.fault(asked);
      if (fault?.kind === 'break-before') return void request.socket.destroy();
      if (fault?.kind === 'status') {
        throw new ApiRefusal(fault.status, 'Fault', 'a fault of the test', undefined, fault.retryAfterSeconds);
      }
      if (fault?.kind === 'answer') {
        if (fault.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(fault.retryAfterSeconds));
        return void response.writeHead(fault.status, { 'content-type': fault.contentType }).end(fault.body);
      }
      if (asked.verb === 'watch') {
        const isSilent = fault?.kind === 'silence';
        return openWatch(this.store, asked, response, { isSilent, bookmarkMs: this.options.bookmarkMs ?? 5_000 });
      }
      const before = this.store.find(asked.plural, asked.namespace, asked.name ?? '');
      const result = this.carryOut(asked, before, request, body);
      if (fault?.kind === 'break-after') return void request.socket.destroy();
      send(response, asked.verb === 'patch' && !before ? 201 : 200, result);
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      const { status, retryAfterSeconds } = error;
      if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
      send(response, status, error.body);
    }
  }

  private carryOut(asked: ApiRequest, found: Stored | undefined, request: IncomingMessage, body: string): unknown {
    const { verb, plural, name = '' } = asked;
    if (verb === 'list') return this.list(asked);
    if (verb === 'patch') return this.patch(asked, found, request, JSON.parse(body) as Stored);
    if (!found) throw notFound(plural, name);
    if (verb === 'get') return found;
    const isForeground = asked.query.get('propagationPolicy') === 'Foreground';
    if (verb === 'delete') {
      const deleted = this.controllers.delete(found, plural, isForeground);
      if (this.store.find(plural, found.metadata.namespace, name)) return deleted;
      const details = { name, kind: plural, uid: found.metadata.uid };
      return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
    }
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
    const { group, version, kind } = resources.find((resource) => resource.plural === plural) ?? resources[0];
    return {
      kind: `${kind}List`,
      apiVersion: group ? `${group}/${version}` : version,
      metadata: { resourceVersion: String(this.store.resourceVersion) },
      // The list says what they are, and they do not.
      items: items.map((object) => ({ ...object, apiVersion: undefined, kind: undefined })),
    };
  }

  private patch(asked: ApiRequest, found: Stored | undefined, request: IncomingMessage, body: Stored): unknown {
    const { plural, namespace, name = '', query } = asked;
    const manager = query.get('fieldManager');
    const type = request.headers['content-type'] ?? '';
    const isMerge = type.startsWith('application/merge-patch+json');
    if (!isMerge && !type.startsWith('application/apply-patch+yaml')) {
      const accepted = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
      const why = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
      throw new ApiRefusal(415, 'UnsupportedMediaType', why);
    }
    if (isMerge) {
      if (!found) throw notFound(plural, name);
      const { resourceVersion } = body.metadata ?? {};
      if (resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion)
        throw outdated(plural, name);
      const next = this.owners.merge(found, body, manager ?? 'unknown');
      refuseFrozen(plural, found, next, this.controllers.canExpand);
      return this.store.update(plural, next);
    }
    if (!manager) {
      const message = 'Required value: is required for apply patch';
      const error = { reason: 'FieldValueRequired', message, field: 'fieldManager' };
      throw invalidObject({ group: 'meta.k8s.io', kind: 'PatchOptions', name: '' }, [error]);
    }
    const undeclared = this.fields?.violationsOf(body) ?? [];
    if (undeclared.length > 0) throw untyped(body.apiVersion, body.kind, namespace, name, undeclared);
    if (body.metadata.name !== name) {
      const why = `the name of the object (${body.metadata.name}) does not match the name on the URL (${name})`;
      throw new ApiRefusal(400, 'BadRequest', why);
    }
    if (found) {
      const next = this.owners.apply(found, body, manager, query.get('force') === 'true');
      refuseFrozen(plural, found, next, this.controllers.canExpand);
      return this.store.update(plural, next);
    }
    this.verbs.add(`create ${plural}`);
    admit(this.store, this.controllers.rules, plural, name);
    const managedFields = [{ manager, operation: 'Apply' }];
    const created = this.store.create(plural, { ...body, metadata: { ...body.metadata, namespace, managedFields } });
    this.owners.apply(created, body, manager, false);
    return created;
  }
}

const FREE_OF_SETS = [
  ...['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit'],
  ...['persistentVolumeClaimRetentionPolicy', 'minReadySeconds'],
];

/** Errors: 422 for what may not change once it is there, 403 for a volume that its class cannot enlarge. */
function refuseFrozen(plural: Plural, before: Stored, next: Stored, canExpand: boolean): void {
  const { name } = next.metadata;
  const refuse = (field: string, why: string) => {
    throw invalid(plural, name, { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field });
  };
  const without = (object: Stored, free: string[]) =>
    JSON.stringify(
      Object.entries(object.spec ?? {})
        .filter(([field]) => !free.includes(field))
        .sort(),
    );
  if (plural === 'statefulsets' && without(before, FREE_OF_SETS) !== without(next, FREE_OF_SETS)) {
    const list = FREE_OF_SETS.map((field) => `'${field}'`);
    const fields = `${list.slice(0, -1).join(', ')} and ${list.at(-1)}`;
    refuse('spec', `updates to statefulset spec for fields other than ${fields} are forbidden`);
  }
  if (plural !== 'persistentvolumeclaims') return;
  const [smaller, larger] = [sizeOf(before), sizeOf(next)];
  const free = before.status?.['phase'] === 'Bound' ? ['resources'] : [];
  if (without(before, free) !== without(next, free)) {
    const fields = 'resources.requests and volumeAttributesClassName for bound claims';
    refuse('spec', `spec is immutable after creation except ${fields}`);
  }
  if (larger < smaller) refuse('spec.resources.requests.storage', 'field can not be less than status.capacity');
  if (larger > smaller && !canExpand) {
    const why =
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
    throw forbidden(plural, name, why);
  }
}

function sizeOf({ spec }: Stored): number {
  return Number((spec as { resources?: { requests?: { storage?: string } } }).resources?.requests?.storage ?? 0);
}

/** Undefined for what no API server serves, or this one does not. */
function read(method: string, url: URL): ApiRequest | undefined {
  const pattern = /^\/(?:api\/v1|apis\/([^/]+)\/v1)\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/;
  const [, group = '', namespace = '', plural = '', name] = pattern.exec(url.pathname) ?? [];
  const resource = resources.find((known) => known.plural === plural && known.group === group);
  if (!resource) return undefined;
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
