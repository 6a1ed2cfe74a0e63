import { ApiRefusal, type Plural, resources } from './objects.js';

/** A refusal in the form and words of the API server; sources are beside the cases of api-server.spec.ts. */
export function notFound(plural: Plural, name: string): ApiRefusal {
  return new ApiRefusal(404, 'NotFound', `${qualified(plural)} "${name}" not found`, detailsOf(plural, name));
}

export function forbidden(plural: Plural, name: string, why: string, causes?: object[]): ApiRefusal {
  const details = { ...detailsOf(plural, name), ...(causes ? { causes } : {}) };
  return new ApiRefusal(403, 'Forbidden', `${qualified(plural)} "${name}" is forbidden: ${why}`, details);
}

/** What one field may not be: `reason` is FieldValueInvalid, FieldValueRequired or FieldValueForbidden. */
export interface FieldError {
  reason: string;
  field: string;
  message: string;
}

export function invalid(plural: Plural, name: string, ...errors: FieldError[]): ApiRefusal {
  const { group, kind } = resourceOf(plural);
  return invalidObject({ group, kind, name }, errors);
}

export function invalidObject(
  { group, kind, name }: { group: string; kind: string; name: string },
  causes: FieldError[],
): ApiRefusal {
  const list = causes.map(({ field, message }) => `${field}: ${message}`);
  const all = list.length === 1 ? list.join() : `[${list.join(', ')}]`;
  const message = `${kind}${group && `.${group}`} "${name}" is invalid: ${all}`;
  return new ApiRefusal(422, 'Invalid', message, { ...(name && { name }), ...(group && { group }), kind, causes });
}

export function outdated(plural: Plural, name: string): ApiRefusal {
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  const message = `Operation cannot be fulfilled on ${qualified(plural)} "${name}": ${why}`;
  return new ApiRefusal(409, 'Conflict', message, detailsOf(plural, name));
}

/** A field of the patch that no schema knows: since 1.22 a failure without a reason, as if it were the server's fault. */
export function untyped(
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  errors: string[],
): ApiRefusal {
  const version = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  const list = errors.length === 1 ? errors.join() : `errors:\n${errors.map((error) => `  ${error}`).join('\n')}`;
  return new ApiRefusal(
    500,
    undefined,
    `failed to create typed patch object (${namespace}/${name}; ${version}, Kind=${kind}): ${list}`,
  );
}

function qualified(plural: Plural): string {
  const { group } = resourceOf(plural);
  return group ? `${plural}.${group}` : plural;
}

function detailsOf(plural: Plural, name: string): object {
  const { group } = resourceOf(plural);
  return { name, ...(group && { group }), kind: plural };
}

function resourceOf(plural: Plural) {
  const found = resources.find((resource) => resource.plural === plural);
  if (!found) throw new RangeError(`${plural} is not served`);
  return found;
}
