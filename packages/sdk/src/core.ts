import { createClient } from './generated/client/index.js';
import { type CallOptions, type RoostOptions, Transport } from './transport/transport.js';

/** What a generated operation is called with, besides what it names itself. */
export interface Through {
  client: ReturnType<typeof createClient>;
  throwOnError: true;
  fetch: (request: Request | string | URL) => Promise<Response>;
}

/** The generated operations, sent by our transport. */
export class Core {
  readonly transport: Transport;
  private readonly client: ReturnType<typeof createClient>;

  constructor(options: RoostOptions) {
    this.transport = new Transport(options);
    this.client = createClient({ baseUrl: this.transport.url });
  }

  /** `isUnkeyed`: an operation that takes no Idempotency-Key. */
  by(options: CallOptions | undefined, isUnkeyed = false): Through {
    return {
      client: this.client,
      throwOnError: true,
      fetch: async (request) => {
        const { method, url, headers, body } = request as Request;
        const text = body === null ? undefined : await (request as Request).text();
        const call = {
          method,
          path: url.slice(this.transport.url.length),
          headers: Object.fromEntries(headers),
          ...(text === undefined ? {} : { body: text }),
          isUnkeyed,
        };
        return this.transport.send(call, options);
      },
    };
  }
}

/** The body of a generated operation's response. */
export async function dataOf<T>(sent: Promise<{ data: T }>): Promise<T> {
  return (await sent).data;
}

/** What follows an agent's or a thing's id in a path. Errors: TypeError. */
export function idOf(given: string, what: string): string {
  if (typeof given !== 'string' || given === '')
    throw new TypeError(`the id of ${what} must be a text that is not empty`);
  return given;
}
