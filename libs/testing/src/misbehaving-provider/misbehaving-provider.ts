import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkDelay } from '../network-delay.js';
import { DEFAULT_USAGE, type Reaction, type Tokens } from './answer.js';
import { streamAnswer } from './stream-answer.js';
import { type AskedRequest, isObject, type JsonObject, Refused, type Wire, type WireName } from './wire.js';
import { WIRES } from './wires.js';

const MAX_BODY_BYTES = 32 * 1_048_576;

const ROUTES: [RegExp, Wire][] = [
  [/\/v1\/messages$/, WIRES.anthropic],
  [/\/chat\/completions$/, WIRES['openai-chat']],
  [/\/responses$/, WIRES['openai-responses']],
  [/:(streamGenerateContent|generateContent)$/, WIRES.google],
];

/** A request as it came and what became of it. */
export interface SeenRequest extends AskedRequest {
  script: string | undefined;
  /** Why the provider refused it by its own rules. */
  refused?: string;
  /** The last that it was told of what it costs, and when its answer ended or its connection was given up; absent where nothing was said of it. */
  told?: Tokens & { at: number };
}

export type Script = Reaction | ((request: AskedRequest) => Reaction);

/**
 * One server that is all four providers, on loopback: it checks requests as strictly as the real services document,
 * streams as they do, and misbehaves on order. A conversation names its script in its latest message as `@name`; each
 * request that the rules pass takes the script's next reaction, and the last one again when there are no more.
 */
export class MisbehavingProvider {
  readonly seen: SeenRequest[] = [];
  /** What it lists, on every wire. */
  models = ['odd'];
  private readonly scripts = new Map<string, { reactions: Script[]; taken: number }>();
  private readonly server: Server;

  private constructor(private readonly unscripted: Script | undefined) {
    this.server = createServer((request, response) => {
      networkDelay()
        .then(() => this.handle(request, response))
        .catch((error: unknown) => {
          console.error(error);
          response.destroy();
        });
    });
  }

  /** `unscripted`: what befalls the requests that name no script, which are refused without it. */
  static async start(unscripted?: Script): Promise<MisbehavingProvider> {
    const provider = new MisbehavingProvider(unscripted);
    await new Promise<void>((resolve) => provider.server.listen(0, '127.0.0.1', resolve));
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The environment of a runtime whose platform keys lead here. OpenAI's own address is set where /responses is used. */
  env(wire: WireName, key = 'sk-odd'): Record<string, string> {
    switch (wire) {
      case 'anthropic':
        return { ANTHROPIC_BASE_URL: this.url, ANTHROPIC_API_KEY: key };
      case 'google':
        return { GOOGLE_BASE_URL: `${this.url}/v1beta`, GOOGLE_API_KEY: key };
      case 'openai-chat':
        return { OPENAI_BASE_URL: `${this.url}/v1`, OPENAI_API_KEY: key };
      case 'openai-responses':
        return { OPENAI_API_KEY: key };
    }
  }

  /** What happens to the requests of conversations whose latest message holds `@name`. */
  script(name: string, ...reactions: Script[]): void {
    this.scripts.set(name, { reactions, taken: 0 });
  }

  /** The requests of one script, oldest first. */
  of(name: string): SeenRequest[] {
    return this.seen.filter(({ script }) => script === name);
  }

  /** Those that broke the wire's rules: whoever calls this provider must have none. */
  get refusals(): SeenRequest[] {
    return this.seen.filter(({ refused }) => refused !== undefined);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (request.method === 'GET' && path.endsWith('/models'))
      return void response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify(path.startsWith('/v1beta/') ? googleList(this.models) : list(this.models)));
    const wire = ROUTES.find(([route]) => route.test(path))?.[1];
    const body = await readBody(request);
    if (!wire || request.method !== 'POST')
      return void response.writeHead(404).end('{"error":{"message":"Not Found"}}');
    try {
      if (!isObject(body))
        throw new Refused(body === undefined ? 413 : 400, 'the body is no JSON object, or too large');
      await this.react(wire, body, request, response);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refuse(response, wire, error);
    }
  }

  private async react(wire: Wire, body: JsonObject, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked: SeenRequest = { wire: wire.name, body, ...wire.read(body), script: undefined };
    asked.script = [...asked.userTexts.join('\n').matchAll(/@([\w.-]+)/g)].at(-1)?.[1];
    this.seen.push(asked);
    try {
      wire.check(body, request.headers);
    } catch (error) {
      if (error instanceof Refused) asked.refused = error.message;
      throw error;
    }
    const { answer = {}, misbehaviour } = this.next(asked);
    switch (misbehaviour?.kind) {
      case 'reset':
        return void request.socket.destroy();
      case 'html':
        response.writeHead(misbehaviour.status, { 'content-type': 'text/html' });
        return void response.end('<html><body><h1>Bad gateway</h1></body></html>');
      case 'json': {
        const counts = answer.usage ?? DEFAULT_USAGE;
        if (!misbehaviour.sent) asked.told = { ...counts, at: Date.now() };
        response.writeHead(200, { 'content-type': 'application/json' });
        return void response.end(JSON.stringify(misbehaviour.sent ?? wire.whole?.(answer) ?? {}));
      }
      case 'status': {
        const { status, message = 'as the script says', code, retryAfter } = misbehaviour;
        if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
        throw new Refused(status, message, code);
      }
      default: {
        const sent = await streamAnswer(response, wire, [...wire.frames(answer)], misbehaviour);
        const counts = sent.findLast((frame) => frame.counts)?.counts;
        if (!counts) return;
        const told = (asked.told = { ...counts, at: Date.now() });
        response.once('close', () => (told.at = Date.now()));
        return;
      }
    }
  }

  private next(asked: AskedRequest & { script: string | undefined }): Reaction {
    const script =
      this.scripts.get(asked.script ?? '') ?? (this.unscripted && { reactions: [this.unscripted], taken: 0 });
    if (!script) throw new Refused(400, `no script is named @${asked.script ?? ''}`);
    const reaction = script.reactions[Math.min(script.taken++, script.reactions.length - 1)] ?? {};
    return typeof reaction === 'function' ? reaction(asked) : reaction;
  }
}

const list = (names: string[]) => ({ object: 'list', data: names.map((id) => ({ id, object: 'model' })) });
const googleList = (names: string[]) => ({ models: names.map((name) => ({ name: `models/${name}` })) });

function refuse(response: ServerResponse, wire: Wire, refused: Refused): void {
  response
    .writeHead(refused.status, { 'content-type': 'application/json' })
    .end(JSON.stringify(wire.errorBody(refused)));
}

/** undefined: too large; null: no JSON. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (size > MAX_BODY_BYTES) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return null;
  }
}
