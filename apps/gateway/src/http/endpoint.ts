import { type MethodPlace, placeOf } from '#lib/bus';
import type { ErrorCode } from '#lib/contracts';
import { applyDecorators, RequestMapping, RequestMethod, SetMetadata } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AccessEnd } from '../access/access-ends.js';
import type { Identity } from '../accounts/identities.js';
import type { Readable } from 'node:stream';
import type { z } from 'zod';

/** What a handler gives that has answered through `call.reply` by itself: a stream, server-sent events. */
export const HANDLED: unique symbol = Symbol('roost:handled');
export type Handled = typeof HANDLED;

export const ENDPOINT = Symbol('roost:endpoint');

/**
 * Who may call: anybody (`public`; also routes that check a signature over the raw body by themselves), an account
 * that has the AI-agents feature (`account`), or any account (`signed-in`: its own keys and settings).
 */
export type Access = 'public' | 'account' | 'signed-in';

/**
 * Whose data a route touches: the caller's `account` alone (another's id is answered as an unknown one), that of
 * whoever the request itself proves to be (`proof`: a password, a code, a signature), or nobody's (`none`).
 */
export type Tenant = 'account' | 'proof' | 'none';

/** How a body arrives: parsed JSON, only its bytes (`call.rawBody`), or a stream (`call.stream`). */
export type BodyKind = 'json' | 'raw' | 'stream';

/**
 * One declaration per route: it validates, authenticates, encodes the answer and writes the OpenAPI document.
 * Schemas are wire codecs of contracts; what the handler gets and gives is in the code's form.
 */
export interface EndpointDefinition<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `:name` for parameters, as Nest writes it. A last `*path` takes the rest. */
  path: string;
  access: Access;
  /** `account` if not given, which public routes may not leave out. */
  tenant?: Tenant;
  summary: string;
  tag: string;
  params?: P;
  query?: Q;
  body?: B;
  /**
   * `['json']` if not given. `['json', 'stream']`: JSON is validated by `body`, any other content type is a stream.
   * `['raw']`: any content type, not parsed.
   */
  accepts?: readonly BodyKind[];
  /** Fields of the JSON body that are content of any bytes, where U+0000 is as good as another character. */
  mayHoldNul?: readonly (keyof z.input<B> & string)[];
  /** Most bytes of a streamed body; 1 GiB if not given. */
  maxStreamBytes?: number;
  /** The answer can be as long as a file or a directory. */
  isDownload?: boolean;
  /** Absent: the handler writes the reply itself. */
  response?: R;
  /** Of the success; 200 if not given. */
  status?: number;
  errors?: ErrorCode[];
  /** For the document, as on the wire, where one made from the schema would not be accepted. */
  example?: z.input<B>;
}

/** What a handler gets: everything validated. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  params: P;
  query: Q;
  body: B;
  /** The bytes of the body as they were sent, for signatures; absent when it is a stream or empty. */
  rawBody: Buffer | undefined;
  /** The body where the endpoint accepts streams and it was not JSON. Fails with PAYLOAD_TOO_LARGE at its limit. */
  stream: Readable | undefined;
  /** The caller's `Idempotency-Key`. The result is kept by the gateway; a service that can dedupe by it should. */
  idempotencyKey: string | undefined;
  /** The tenant; '' on public endpoints. */
  accountId: string;
  /** Whether the tenant has the AI-agents feature. */
  agentsEnabled: boolean;
  /** Who signed in, when the request came with a token and not with a key. */
  userId: string | undefined;
  /** The sign-in that the caller's token came of. */
  sessionId: string | undefined;
  request: FastifyRequest;
  reply: FastifyReply;
}

export interface CallingRequest extends FastifyRequest {
  accountId?: string;
  agentsEnabled?: boolean;
  userId?: string;
  identity?: Identity;
  /** Ends an answer that has begun, when its caller may not have it any more. */
  endReply?: (why: AccessEnd) => void;
  rawBody?: Buffer;
  requestId?: string;
}

export type EndpointHandler = (call: Call) => unknown;

/** What a route's configuration says of its endpoint: the declaration, and where the method is. */
interface EndpointRoute extends MethodPlace {
  endpoint: EndpointDefinition;
}

/** The endpoint of a route; undefined where it is none. */
export function endpointRouteOf(route: { config?: object | undefined }): EndpointRoute | undefined {
  const config = route.config as Partial<EndpointRoute> | undefined;
  return config?.endpoint && (config as EndpointRoute);
}

/** The declaration of the route that a request was matched to; undefined where there is none. */
export function endpointOf(route: { config?: object | undefined }): EndpointDefinition | undefined {
  return endpointRouteOf(route)?.endpoint;
}

/** Makes a controller's method a route of the API. */
export function Endpoint<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  definition: EndpointDefinition<P, Q, B, R>,
) {
  return <
    F extends (
      call: Call<z.output<P>, z.output<Q>, z.output<B>>,
    ) => Promise<z.output<R> | Handled> | z.output<R> | Handled,
  >(
    target: object,
    key: string,
    descriptor: TypedPropertyDescriptor<F>,
  ): void => {
    applyDecorators(
      // Fastify's wildcard has no name; `runEndpoints` gives it back its own.
      RequestMapping({ path: definition.path.replace(/\*\w+$/, '*'), method: RequestMethod[definition.method] }),
      SetMetadata(ENDPOINT, definition),
      // What the server knows of a request before it reads the body, and whom it calls then.
      RouteConfig({ endpoint: definition, ...placeOf(target, key) } satisfies EndpointRoute),
    )(target, key, descriptor);
  };
}
