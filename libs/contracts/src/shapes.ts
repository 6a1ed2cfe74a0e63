import { z } from 'zod';

/** Each field may be null, which clears it. */
export type Clearable<S extends z.ZodRawShape> = { [K in keyof S]: z.ZodNullable<S[K] & z.ZodType> };
export function clearable<S extends z.ZodRawShape>(shape: S): Clearable<S> {
  return Object.fromEntries(
    Object.entries(shape).map(([key, field]) => [key, asDescribed(z.nullable(field), field)]),
  ) as Clearable<S>;
}

/** The description of a field says what the field is, so it goes with what the field is wrapped in. */
function asDescribed<W extends z.ZodType>(wrapped: W, field: z.core.$ZodType): W {
  const description = (field as z.ZodType).description;
  return description === undefined ? wrapped : wrapped.describe(description);
}

/** Each field may be left out. */
export type Optional<S extends z.ZodRawShape> = { [K in keyof S]: z.ZodOptional<S[K] & z.ZodType> };
export function optional<S extends z.ZodRawShape>(shape: S): Optional<S> {
  return Object.fromEntries(
    Object.entries(shape).map(([key, field]) => [key, asDescribed(z.optional(field), field)]),
  ) as Optional<S>;
}
