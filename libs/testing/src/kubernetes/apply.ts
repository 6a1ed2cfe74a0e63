import { ApiRefusal, type Stored } from './objects.js';

type Fields = Record<string, unknown>;

/** Who owns which fields of which object, by its uid: what `metadata.managedFields` holds in a real server. */
export class FieldOwners {
  private readonly owners = new Map<string, Map<string, Set<string>>>();

  /**
   * Server-side apply: `applied` becomes what its manager sets of the object. Fields that the manager set before and no
   * longer sets are removed; lists are taken as a whole. Errors: 409 where another manager's field would change without `force`.
   */
  apply(before: Stored, applied: Fields, manager: string, force: boolean): Stored {
    const managers = this.of(before.metadata.uid);
    const next = structuredClone(before) as Stored & Fields;
    const fields = leavesOf(applied);
    const isSame = (path: string) => JSON.stringify(at(before, path)) === JSON.stringify(at(applied, path));
    for (const [other, paths] of managers) {
      if (other === manager) continue;
      const clashing = [...fields].filter((path) => paths.has(path) && !isSame(path));
      if (clashing.length > 0 && !force) {
        throw conflict(other, before.apiVersion, clashing);
      }
      for (const path of clashing) paths.delete(path);
    }
    for (const path of managers.get(manager) ?? []) {
      const isShared = [...managers].some(([other, paths]) => other !== manager && paths.has(path));
      if (!fields.has(path) && !isShared) drop(next, path);
    }
    for (const path of fields) set(next, path, at(applied, path));
    managers.set(manager, fields);
    next.metadata.managedFields = [...managers.keys()].map((name) => ({ manager: name, operation: 'Apply' }));
    return next;
  }

  /** JSON merge patch (RFC 7396); what is set belongs to the manager from now on. */
  merge(before: Stored, patch: Fields, manager: string): Stored {
    const managers = this.of(before.metadata.uid);
    const leaves = leavesOf(patch);
    for (const [other, paths] of managers) if (other !== manager) for (const path of leaves) paths.delete(path);
    managers.set(manager, new Set([...(managers.get(manager) ?? []), ...leaves]));
    return mergeInto(structuredClone(before), patch) as Stored;
  }

  private of(uid: string): Map<string, Set<string>> {
    const known = this.owners.get(uid) ?? new Map<string, Set<string>>();
    this.owners.set(uid, known);
    return known;
  }
}

/** Of a group's version the message names it; `v1` has none to name. */
function conflict(manager: string, apiVersion: string, paths: string[]): ApiRefusal {
  const fields = paths.map((path) => `.${path.replaceAll('\u0000', '.')}`);
  const whose = `with "${manager}"${apiVersion.includes('/') ? ` using ${apiVersion}` : ''}`;
  const [first] = fields;
  const message =
    fields.length === 1
      ? `Apply failed with 1 conflict: conflict ${whose}: ${first}`
      : `Apply failed with ${fields.length} conflicts: conflicts ${whose}:\n${fields.map((field) => `- ${field}`).join('\n')}`;
  const causes = fields.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict ${whose}`, field }));
  return new ApiRefusal(409, 'Conflict', message, { causes });
}

const identity = ['apiVersion', 'kind', 'metadata\u0000name', 'metadata\u0000namespace'];

function leavesOf(fields: Fields, prefix = ''): Set<string> {
  const leaves = new Set<string>();
  for (const [name, value] of Object.entries(fields)) {
    const path = prefix ? `${prefix}\u0000${name}` : name;
    if (identity.includes(path)) continue;
    if (isFields(value) && Object.keys(value).length > 0) for (const leaf of leavesOf(value, path)) leaves.add(leaf);
    else leaves.add(path);
  }
  return leaves;
}

function at(fields: Fields, path: string): unknown {
  return path.split('\u0000').reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), fields);
}

function set(fields: Fields, path: string, value: unknown): void {
  const names = path.split('\u0000');
  const last = names.pop() ?? '';
  let here = fields;
  for (const name of names) {
    const inner = here[name];
    here = isFields(inner) ? inner : ((here[name] = {}) as Fields);
  }
  here[last] = structuredClone(value);
}

function drop(fields: Fields, path: string): void {
  const names = path.split('\u0000');
  const last = names.pop() ?? '';
  const parent = names.length ? at(fields, names.join('\u0000')) : fields;
  if (isFields(parent)) delete parent[last];
}

function mergeInto(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const merged: Fields = isFields(target) ? target : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergeInto(merged[name], value);
  }
  return merged;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
