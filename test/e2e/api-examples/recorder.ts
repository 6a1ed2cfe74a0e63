import type { TestRoost } from '#lib/testing';
import { stable } from './stable.js';

export interface Recorded {
  operations: Record<string, { request?: unknown; response?: unknown }>;
  errors: Record<string, unknown>;
  events: Record<string, unknown>;
  webhooks: Record<string, unknown>;
}

interface Answer<Body> {
  status: number;
  body: Body;
}

interface Document {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
}

/** The first success of each operation and the first error of each code, in the order in which they were seen. */
export class Recorder {
  readonly seen: Recorded = { operations: {}, errors: {}, events: {}, webhooks: {} };
  private readonly operations: { id: string; method: string; form: RegExp; status: number }[];
  private readonly stable = stable();

  private constructor(
    private readonly roost: TestRoost,
    { paths }: Document,
  ) {
    const all = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, responses }]) => ({
        id: operationId,
        method: method.toUpperCase(),
        // `{path}` of files may hold slashes. Paths with fewer places are looked at first: `/list` is no id.
        form: new RegExp(`^${path.replace(/\{path\}/g, '.*').replace(/\{\w+\}/g, '[^/]+')}$`),
        places: path.split('{').length,
        status: Number(Object.keys(responses)[0]),
      })),
    );
    this.operations = all.sort((one, other) => one.places - other.places);
  }

  static async of(roost: TestRoost): Promise<Recorder> {
    return new Recorder(roost, (await roost.api<Document>('GET', '/openapi.json')).body);
  }

  /** Calls, and records what came. Errors: for a refusal. */
  readonly call = async <Body>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Body> => {
    const answer = await this.roost.api<Body>(method, path, body, headers);
    if (answer.status >= 400) throw new Error(`${method} ${path} gave ${answer.status} ${JSON.stringify(answer.body)}`);
    this.record(method, path, body, answer);
    return answer.body;
  };

  /** Calls what is to be refused, and records the error. */
  readonly refused = async (
    code: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<void> => {
    const answer = await this.roost.api<{ error?: { code: string } }>(method, path, body, headers);
    if (answer.body.error?.code !== code)
      throw new Error(`${method} ${path} gave ${answer.status} ${JSON.stringify(answer.body)}, not ${code}`);
    this.seen.errors[code] ??= this.stable(answer.body);
  };

  event(type: string, data: unknown): void {
    this.seen.events[type] ??= this.stable(data);
  }

  webhook(type: string, body: unknown): void {
    this.seen.webhooks[type] ??= this.stable(body);
  }

  /** Operations that no call has reached yet. */
  missing(): string[] {
    return this.operations.map(({ id }) => id).filter((id) => !(id in this.seen.operations));
  }

  private record(method: string, path: string, body: unknown, answer: Answer<unknown>): void {
    const [plain = ''] = path.split('?');
    const operation = this.operations.find((known) => known.method === method && known.form.test(plain));
    if (!operation || operation.id in this.seen.operations) return;
    if (answer.status !== operation.status)
      throw new Error(`${method} ${plain} gave ${answer.status}, and is documented to give ${operation.status}`);
    const isJson = typeof answer.body === 'object';
    this.seen.operations[operation.id] = {
      ...(typeof body === 'object' && !(body instanceof Uint8Array) ? { request: this.stable(body) } : {}),
      ...(isJson ? { response: this.stable(answer.body) } : {}),
    };
  }
}
