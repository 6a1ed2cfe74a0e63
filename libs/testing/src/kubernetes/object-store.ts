import { randomUUID } from 'node:crypto';
import { ApiRefusal, type Metadata, type Plural, type Stored } from './objects.js';
import { invalid, notFound } from './refusals.js';

export interface Change {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  plural: Plural;
  object: Stored;
  /** As it was. */
  before?: Stored | undefined;
}

const keptChanges = 2_000;
/** Holds a volume claim while a pod uses it. */
export const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';

/** The objects with their versions, and the latest changes for those that watch. */
export class ObjectStore {
  private version = 1_000;
  private readonly objects = new Map<string, Stored>();
  private changes: Change[] = [];
  /** Watches from before this version are gone. */
  private compactedAt = 0;
  readonly listeners = new Set<(change: Change) => void>();

  get resourceVersion(): number {
    return this.version;
  }

  find(plural: Plural, namespace: string, name: string): Stored | undefined {
    return this.objects.get(keyOf(plural, namespace, name));
  }

  all(plural: Plural): Stored[] {
    return [...this.objects].filter(([key]) => key.startsWith(`${plural}/`)).map(([, object]) => object);
  }

  everything(): { plural: Plural; object: Stored }[] {
    return [...this.objects].map(([key, object]) => ({ plural: key.split('/')[0] as Plural, object }));
  }

  create(plural: Plural, object: Omit<Stored, 'metadata'> & { metadata: Partial<Metadata> }): Stored {
    const { name = '', namespace = '' } = object.metadata;
    checkMetadata(plural, name, object.metadata);
    const metadata: Metadata = {
      // By the admission that protects storage in use.
      ...(plural === 'persistentvolumeclaims' ? { finalizers: [CLAIM_FINALIZER] } : {}),
      ...object.metadata,
      name,
      namespace,
      uid: randomUUID(),
      ...(hasGeneration(plural) ? { generation: 1 } : {}),
      creationTimestamp: new Date().toISOString(),
      resourceVersion: '',
    };
    return this.write('ADDED', plural, { ...object, metadata } as Stored);
  }

  /** Stores what is different from before; a change of `spec` is a new generation. */
  update(plural: Plural, next: Stored): Stored {
    const before = this.find(plural, next.metadata.namespace, next.metadata.name);
    if (!before) throw notFound(plural, next.metadata.name);
    checkMetadata(plural, next.metadata.name, next.metadata);
    const hasSpecChanged = JSON.stringify(before.spec) !== JSON.stringify(next.spec);
    const generation = (before.metadata.generation ?? 0) + (hasSpecChanged ? 1 : 0);
    const metadata = { ...next.metadata, ...(hasGeneration(plural) ? { generation } : {}) };
    const object = { ...next, metadata };
    if (object.metadata.deletionTimestamp !== undefined && !object.metadata.finalizers?.length && plural !== 'pods') {
      return this.remove(plural, object);
    }
    if (JSON.stringify(before) === JSON.stringify(object)) return before;
    return this.write('MODIFIED', plural, object);
  }

  remove(plural: Plural, object: Stored): Stored {
    const { namespace, name } = object.metadata;
    this.objects.delete(keyOf(plural, namespace, name));
    return this.note('DELETED', plural, object);
  }

  /** What changed since a version. Errors: 410 when that is too long ago. */
  since(plural: Plural, version: number): Change[] {
    if (version < this.compactedAt) {
      throw new ApiRefusal(410, 'Expired', `too old resource version: ${version} (${this.compactedAt})`);
    }
    return this.changes.filter((change) => change.plural === plural && change.version > version);
  }

  /** Forgets the changes, as a compaction of etcd does: every watch from before has to list again. */
  compact(): void {
    this.version += 1;
    this.compactedAt = this.version;
    this.changes = [];
  }

  private write(type: Change['type'], plural: Plural, object: Stored): Stored {
    const stored = this.note(type, plural, object);
    this.objects.set(keyOf(plural, object.metadata.namespace, object.metadata.name), stored);
    return stored;
  }

  private note(type: Change['type'], plural: Plural, object: Stored): Stored {
    this.version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
    const before = this.find(plural, object.metadata.namespace, object.metadata.name);
    const change = { version: this.version, type, plural, object: stored, before };
    this.changes.push(change);
    if (this.changes.length > keptChanges) this.compactedAt = this.changes.shift()?.version ?? this.compactedAt;
    for (const listener of [...this.listeners]) listener(change);
    return stored;
  }
}

function keyOf(plural: Plural, namespace: string, name: string): string {
  return `${plural}/${namespace}/${name}`;
}

/** Claims, Secrets, accounts and events have none. */
function hasGeneration(plural: Plural): boolean {
  return ['statefulsets', 'networkpolicies', 'pods'].includes(plural);
}

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const labelValue =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

function checkMetadata(plural: Plural, name: string, { labels = {}, ownerReferences = [] }: Partial<Metadata>): void {
  const wrong = (field: string, value: string, why: string) =>
    invalid(plural, name, {
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
      field,
    });
  if (name.length > 253) throw wrong('metadata.name', name, 'must be no more than 253 characters');
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) throw wrong('metadata.name', name, subdomain);
  for (const value of Object.values(labels)) {
    if (value.length > 63) throw wrong('metadata.labels', value, 'must be no more than 63 characters');
    if (!/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(value)) throw wrong('metadata.labels', value, labelValue);
  }
  for (const { uid } of ownerReferences) {
    if (!uid) throw wrong('metadata.ownerReferences.uid', uid, 'must not be empty');
  }
}
