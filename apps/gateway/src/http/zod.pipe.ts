import { validationError } from '#lib/rpc';
import { PARSE_CONTEXT, RoostError } from '#lib/contracts';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { STREAMED } from './request.js';
import { refuseUnusableParameters } from './usable-text.js';

type Metadata = Pick<ArgumentMetadata, 'type'> & { schema?: unknown };

/**
 * Validates what `@Param`, `@Query` and `@Body` name by their schemas, and gives it in the code's form.
 * Errors: VALIDATION_ERROR, UNSUPPORTED_MEDIA_TYPE, and what a schema of ids throws (NOT_FOUND).
 */
export class ZodPipe implements PipeTransform {
  /** What `validateFirst` found, by the request's own object, until Nest asks for it. */
  private readonly found = new WeakMap<object, { schema: unknown; result: unknown }>();

  /** Validates ahead of Nest, for a hook that may act on valid requests alone; Nest's call then returns the same. */
  validateFirst(value: unknown, metadata: Metadata): void {
    const result = this.transform(value, metadata);
    if (typeof value === 'object' && value !== null) this.found.set(value, { schema: metadata.schema, result });
  }

  transform(value: unknown, { type, schema }: Metadata): unknown {
    if (!(schema instanceof z.ZodType)) return value;
    const found = typeof value === 'object' && value !== null ? this.found.get(value) : undefined;
    if (found?.schema === schema) return found.result;
    switch (type) {
      case 'param': {
        const inPath = named(value);
        const params = valid(schema, inPath);
        // Ids are checked before: what is no id is answered as an unknown one.
        refuseUnusableParameters(inPath);
        return params;
      }
      case 'query':
        refuseUnusableParameters(value);
        return valid(schema, value ?? {});
      case 'body':
        if (value === STREAMED) return undefined;
        if (value instanceof Readable)
          throw new RoostError('UNSUPPORTED_MEDIA_TYPE', 'the body must be JSON: send content-type: application/json');
        // `{}` where nothing is expected is what many clients send with every POST.
        return valid(schema, value === undefined ? {} : value);
      default:
        return value;
    }
  }
}

/** Fastify calls what a wildcard took `*`. */
function named(params: unknown): object {
  const { '*': path, ...rest } = (params ?? {}) as Record<string, string>;
  return path === undefined ? rest : { ...rest, path };
}

function valid(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value, PARSE_CONTEXT);
  if (parsed.success) return parsed.data;
  throw validationError(parsed.error);
}
