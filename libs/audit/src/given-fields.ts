import { snakeCase } from '#lib/contracts';

/** Names of the fields that were given, as in the API; never their values. */
export function givenFields(input: object): string[] {
  return Object.entries(input)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => snakeCase(name));
}

/** Names within an object of names that a user chose, e.g. of environment variables. */
export function namedWithin(field: string, names: object | null | undefined): string[] {
  return Object.keys(names ?? {}).map((name) => `${field}.${name}`);
}
