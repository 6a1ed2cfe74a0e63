/** A request as it is to be sent: names in lower case, one entry for each line. `path` in origin form, with its query. */
export interface RequestHead {
  method: string;
  path: string;
  headers: [name: string, value: string][];
}

export function valuesOf({ headers }: Pick<RequestHead, 'headers'>, name: string): string[] {
  return headers.flatMap(([key, value]) => (key === name ? [value] : []));
}

/** In the place of all of that name. */
export function setHeader(head: RequestHead, name: string, value: string): void {
  head.headers = [...head.headers.filter(([key]) => key !== name), [name, value]];
}
