import type { Plural } from './objects.js';

export interface ApiRequest {
  /** As RBAC names it: get, list, watch, create, patch, delete. */
  verb: string;
  plural: Plural;
  namespace: string;
  name: string | undefined;
  query: URLSearchParams;
}

/** Whether labels fit a selector of the forms `a=b`, `a` and both with commas. */
export function matches(selector: string | null, labels: Record<string, string> = {}): boolean {
  return (selector ?? '')
    .split(',')
    .filter(Boolean)
    .every((term) => {
      const [key = '', value] = term.split('=');
      return value === undefined ? key in labels : labels[key] === value;
    });
}
