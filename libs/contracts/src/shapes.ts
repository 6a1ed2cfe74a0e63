import { z } from 'zod';

/** Each field may be null, which clears it. */
export type Clearable<S extends z.ZodRawShape> = { [K in keyof S]: z.ZodNullable<S[K] & z.ZodType> };
export function clearable<S extends z.ZodRawShape>(shape: S): Clearable<S> {
  return Object.fromEntries(Object.entries(shape).map(([key, field]) => [key, z.nullable(field)])) as Clearable<S>;
}

/** Each field may be left out. */
export type Optional<S extends z.ZodRawShape> = { [K in keyof S]: z.ZodOptional<S[K] & z.ZodType> };
export function optional<S extends z.ZodRawShape>(shape: S): Optional<S> {
  return Object.fromEntries(Object.entries(shape).map(([key, field]) => [key, z.optional(field)])) as Optional<S>;
}
