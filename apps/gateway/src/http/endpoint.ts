import type { ErrorCode, StreamSchema } from '#lib/contracts';
import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { z } from 'zod';
import type { RequestHeader, ResponseHeader } from '../openapi/headers.js';
import { type Arguments, declareArguments } from './arguments.js';

const ENDPOINT = Symbol('roost:endpoint');
const TAG = Symbol('roost:tag');

/**
 * Who may call: anybody (`public`; also routes that check a signature over the raw body by themselves), an account
 * that has the AI-agents feature (`account`), any account (`signed-in`: its own keys and settings), or an account that
 * operates this Roost (`operator`).
 */
export type Access = 'public' | 'account' | 'signed-in' | 'operator';

/**
 * Whose data a route touches: the caller's `account` alone (another's id is answered as an unknown one), that of
 * whoever the request itself proves to be (`proof`: a password, a code, a signature), any account's (`any`: for
 * operators), or nobody's (`none`).
 */
export type Tenant = 'account' | 'proof' | 'any' | 'none';

/** How a body arrives: parsed JSON, parsed YAML, only its bytes (`@RawBody`), or a stream (`@BodyStream`). */
export type BodyKind = 'json' | 'yaml' | 'raw' | 'stream';

/** What a route declares beside its path and the schemas of its arguments; the OpenAPI document is made from it. */
export interface EndpointDefinition<R extends z.ZodType = z.ZodType> {
  access: Access;
  /** `account` if not given, which public routes and those of operators may not leave out. */
  tenant?: Tenant;
  summary: string;
  /** What it does, when to use it, what its errors mean, what a repeated call does: Markdown, for the reference. */
  description?: string;
  /** Where clients know the operation by another name than `<Controller>_<method>`. */
  operationId?: string;
  /**
   * `['json']` if not given. `['json', 'stream']`: JSON is validated by the `@Body` schema, any other content type is a
   * stream. `['json', 'yaml']`: either is validated by it. `['raw']`: any content type, not parsed.
   */
  accepts?: readonly BodyKind[];
  /** Fields of the JSON body that are content of any bytes, where U+0000 is as good as another character. */
  mayHoldNul?: readonly string[];
  /**
   * Numbers of the JSON body that would lose digits are marked strings, as `parseExactJson` reads them, for whoever hands
   * them on by `exactJson`.
   */
  keepsDigits?: boolean;
  /** Most bytes of a streamed body; 1 GiB if not given. */
  maxStreamBytes?: number;
  /** The response can be as long as a file or a directory. */
  isDownload?: boolean;
  /** A wire codec of contracts, by which the result is encoded. Absent: the method sends the response through `@Res`. */
  response?: R;
  /** What a stream of server-sent events holds, for the document: one event as an object of its fields. */
  events?: StreamSchema;
  /** Of the success; 200 if not given. */
  status?: number;
  errors?: readonly ErrorCode[];
  /** A body for the document, as on the wire, where one made from the schema would not be accepted. */
  example?: object;
  /** Headers beside those of every operation, for the document. */
  requestHeaders?: readonly RequestHeader[];
  responseHeaders?: readonly ResponseHeader[];
  /** What a success means, where that is more than that it was done. */
  responseDescription?: string;
  /** Bodies of a success that are not JSON, by content type, as OpenAPI writes them. */
  responseContent?: Record<string, object>;
}

/**
 * Declares a route of the API, above `@Get`, `@Post` and the like. A route without it does not pass `npm run lint`, and
 * stops the start of the gateway.
 */
export function Endpoint<R extends z.ZodType>(definition: EndpointDefinition<R>) {
  return <F extends (...args: never[]) => Promise<z.output<R> | void> | z.output<R> | void>(
    target: object,
    key: string,
    descriptor: TypedPropertyDescriptor<F>,
  ): void => {
    const declared = declareArguments(target, key, definition.accepts?.includes('raw') ?? false);
    applyDecorators(
      HttpCode(definition.status ?? 200),
      SetMetadata(ENDPOINT, definition),
      // What the server knows of a request before it reads the body.
      RouteConfig({ endpoint: definition, arguments: declared } satisfies EndpointRoute),
    )(target, key, descriptor);
  };
}

/** The group of a controller's routes in the OpenAPI document. */
export const Tag = (name: string): ClassDecorator => SetMetadata(TAG, name);

export const tagOf = (controller: object): string => String(Reflect.getMetadata(TAG, controller) ?? '');

/** The declaration of a method; undefined where it has none. */
export const definitionOf = (method: object) => Reflect.getMetadata(ENDPOINT, method) as EndpointDefinition | undefined;

interface EndpointRoute {
  endpoint: EndpointDefinition;
  arguments: Arguments;
}

/** What the configuration of a route holds of its endpoint; undefined where it is none. */
export function endpointRouteOf(route: { config?: object | undefined }): EndpointRoute | undefined {
  const config = route.config as Partial<EndpointRoute> | undefined;
  return config?.endpoint && (config as EndpointRoute);
}

/** The declaration of the route that a request was matched to; undefined where there is none. */
export function endpointOf(route: { config?: object | undefined }): EndpointDefinition | undefined {
  return endpointRouteOf(route)?.endpoint;
}
