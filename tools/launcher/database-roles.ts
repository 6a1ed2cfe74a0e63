import { provisionRoles } from '#lib/database/roles';
import { services } from './services.js';

/**
 * Makes each service's role, as `url`'s; what is in their schemas from a version before then belongs to them.
 * `urls` is by service, `undefined` when `url` may not make roles: `reason` says why.
 */
export async function databaseUrls(
  url: string,
): Promise<{ urls: Record<string, string> } | { urls: undefined; reason: string }> {
  const schemas = services.map(({ schema }) => schema);
  const made = await provisionRoles(url, schemas);
  if (!made.urls) return made;
  const { urls } = made;
  return { urls: Object.fromEntries(services.map(({ name, schema }) => [name, urls[schema] ?? url])) };
}
