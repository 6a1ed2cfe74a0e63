export interface ApiResponse<Body> {
  status: number;
  headers: Headers;
  /** Parsed when the response is JSON, else its text. The caller names the type that it expects; nothing checks it. */
  body: Body;
}

/** One call of the public API. A string or bytes are sent as they are, anything else as JSON. */
export type ApiClient = <Body = unknown>(
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<ApiResponse<Body>>;

/** A client that carries the API key; pass an `authorization` header to use another, or an empty one for none. */
export function apiClient(url: string, apiKey: string): ApiClient {
  return async <Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const all = new Headers({ authorization: `Bearer ${apiKey}` });
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    if (body !== undefined && !isRaw) all.set('content-type', 'application/json');
    for (const [name, value] of Object.entries(headers)) {
      if (value === '') all.delete(name);
      else all.set(name, value);
    }
    const content =
      body === undefined
        ? null
        : typeof body === 'string'
          ? body
          : isRaw
            ? new Uint8Array(body as Uint8Array)
            : JSON.stringify(body);
    const response = await fetch(`${url}${path}`, { method, headers: all, body: content });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text ? JSON.parse(text) : text) as Body,
    };
  };
}
