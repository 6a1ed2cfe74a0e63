import {
  Body as NestBody,
  createParamDecorator,
  type ExecutionContext,
  Param as NestParam,
  Query as NestQuery,
} from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { z } from 'zod';
import type { Identity } from '../accounts/identity.js';
import { type ApiRequest, idempotencyKeyOf } from './request.js';
import { ZodPipe } from './zod.pipe.js';

/** What a method gets and Nest keeps per argument, by `<kind>:<index>`. */
export type Arguments = Record<string, { index: number; schema?: z.ZodType | undefined }>;
type ArgumentOf<T, K extends keyof T, I extends number> = T[K] extends (...args: infer A) => unknown ? A[I] : never;
/** A parameter decorator that does not compile on a parameter of another type than the schema's. */
type Typed<V> = <T, K extends keyof T & string, I extends number>(
  target: T,
  key: K,
  index: V extends ArgumentOf<T, K, I> ? I : never,
) => void;

const pipe = new ZodPipe();
const pipes = [pipe];

/** The ids of the path, validated. */
export const Param = <S extends z.ZodType>(schema: S): Typed<z.output<S>> => NestParam({ schema, pipes }) as never;
/** The query, validated. */
export const Query = <S extends z.ZodType>(schema: S): Typed<z.output<S>> => NestQuery({ schema, pipes }) as never;
/** The JSON body, validated; undefined where the endpoint accepts streams and one was sent. */
export const Body = <S extends z.ZodType>(schema: S): Typed<z.output<S>> => NestBody({ schema, pipes }) as never;

const fromRequest = <V>(get: (request: ApiRequest) => V) =>
  createParamDecorator((_: unknown, context: ExecutionContext) => get(context.switchToHttp().getRequest<ApiRequest>()));

/** Who calls. Not for public endpoints. */
export const Caller = fromRequest((request): Identity => {
  if (!request.identity) throw new Error('a public endpoint has no caller');
  return request.identity;
});
/** The body as a stream, where the endpoint accepts one. It fails with PAYLOAD_TOO_LARGE at its limit. */
export const BodyStream = fromRequest((request) => request.bodyStream);
/** The `Idempotency-Key` of a caller without an account, for whom nothing is kept. */
export const IdempotencyKey = fromRequest(idempotencyKeyOf);
/** What a service dedupes by, where it can: the same for calls that repeat each other by their `Idempotency-Key`. */
export const DedupeKey = fromRequest((request) => request.idempotent?.dedupeKey);

/** The order of validation: what is no id is answered as an unknown one is, whatever else is wrong. */
const ORDER = [RouteParamtypes.PARAM, RouteParamtypes.QUERY, RouteParamtypes.BODY];
const NO_BODY = z.strictObject({});
const ANY_QUERY = z.object({});

/**
 * Orders a method's arguments so that the path is validated first, then the query, then the body, and has those
 * validated, too, that the method does not take: Nest passes them after its last argument.
 */
export function declareArguments(target: object, key: string, isRaw: boolean): Arguments {
  const declared = (Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, key) ?? {}) as Arguments;
  let index = Math.max(-1, ...Object.values(declared).map((argument) => argument.index));
  if (!schemaIn(declared, RouteParamtypes.QUERY)) Query(ANY_QUERY)(target as never, key as never, ++index as never);
  if (!isRaw && !schemaIn(declared, RouteParamtypes.BODY))
    Body(NO_BODY)(target as never, key as never, ++index as never);
  const all = Object.entries(Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, key) as Arguments);
  const rank = ([name]: [string, unknown]) => ORDER.indexOf(kindOf(name)) + 1 || ORDER.length + 1;
  const ordered = Object.fromEntries(all.sort((one, other) => rank(one) - rank(other)));
  Reflect.defineMetadata(ROUTE_ARGS_METADATA, ordered, target.constructor, key);
  return ordered;
}

/**
 * Validates a request ahead of Nest, which then takes what was found. For hooks that may act on valid requests alone.
 * Errors: those of the pipe.
 */
export function validateArguments(declared: Arguments, request: ApiRequest): void {
  for (const [name, { schema }] of Object.entries(declared)) {
    const kind = kindOf(name);
    if (kind === RouteParamtypes.PARAM) pipe.validateFirst(request.params, { type: 'param', schema });
    else if (kind === RouteParamtypes.QUERY) pipe.validateFirst(request.query, { type: 'query', schema });
    else if (kind === RouteParamtypes.BODY) pipe.validateFirst(request.body, { type: 'body', schema });
  }
}

export interface DeclaredSchemas {
  params: z.ZodType | undefined;
  query: z.ZodType | undefined;
  body: z.ZodType | undefined;
}

/** The schemas that a method's arguments name. */
export function schemasOf(controller: object, key: string): DeclaredSchemas {
  const declared = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, key) ?? {}) as Arguments;
  const named = (kind: RouteParamtypes) => {
    const schema = schemaIn(declared, kind);
    return schema === NO_BODY || schema === ANY_QUERY ? undefined : schema;
  };
  return {
    params: named(RouteParamtypes.PARAM),
    query: named(RouteParamtypes.QUERY),
    body: named(RouteParamtypes.BODY),
  };
}

function schemaIn(declared: Arguments, kind: RouteParamtypes): z.ZodType | undefined {
  return Object.entries(declared).find(([name]) => kindOf(name) === kind)?.[1].schema;
}

/** Of our own parameter decorators the name begins with an id that Nest made. */
const kindOf = (name: string) => Number(/^(\d+):/.exec(name)?.[1] ?? NaN);
