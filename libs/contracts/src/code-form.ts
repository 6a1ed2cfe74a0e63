import { z } from 'zod';

/** Of every `wire()` codec, by the schema of what it gives: that schema stays when a check or a description is added. */
const shapes = new WeakMap<z.core.$ZodType, z.ZodRawShape>();
const forms = new WeakMap<z.core.$ZodType, z.ZodType>();

/** Notes what is in the objects that `out` stands for. */
export function hasShape(out: z.core.$ZodType, shape: z.ZodRawShape): void {
  shapes.set(out, shape);
}

/** What a `wire()` codec's objects hold; undefined for any other codec. */
export function shapeOf(codec: z.ZodPipe): z.ZodRawShape | undefined {
  return shapes.get(codec.def.out);
}

/** Kinds of schemas that hold others and that nobody looks into here: no contract needs them. */
const UNKNOWN = new Set('tuple intersection map set promise transform readonly catch prefault nonoptional'.split(' '));

/**
 * The schema of what `schema` gives (camelCase, dates as `Date`), with the same checks: for values that stay in this
 * process, which need neither be turned into the form of the wire nor back. Fields that are not named are dropped.
 */
export function codeFormOf<S extends z.core.$ZodType>(schema: S): z.ZodType<z.output<S>> {
  const known = forms.get(schema);
  const form = known ?? made(schema);
  if (!known) forms.set(schema, form);
  // What it is made of is known only at run time; it gives what `schema` gives.
  return form as z.ZodType<z.output<S>>;
}

function made(schema: z.core.$ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) {
    const { out, checks = [] } = schema.def;
    const shape = shapeOf(schema);
    const form = shape ? z.object(mapped(shape)) : codeFormOf(out);
    return withParts(form, { checks: [...(form.def.checks ?? []), ...checks] });
  }
  if (schema instanceof z.ZodObject) return withParts(schema, { shape: mapped(schema.shape) });
  if (schema instanceof z.ZodUnion)
    return withParts(schema, { options: schema.options.map((option) => codeFormOf(option)) });
  if (schema instanceof z.ZodArray) return withParts(schema, { element: codeFormOf(schema.element) });
  if (schema instanceof z.ZodRecord) return withParts(schema, { valueType: codeFormOf(schema.valueType) });
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return withParts(schema, { innerType: codeFormOf(schema.def.innerType) });
  if (UNKNOWN.has(schema._zod.def.type)) throw new Error(`a contract cannot hold a ${schema._zod.def.type}`);
  return schema as z.ZodType;
}

/** The same schema, checks and all, around other parts. */
function withParts(schema: z.ZodType, parts: Record<string, unknown>): z.ZodType {
  return z.core.clone(schema, { ...schema.def, ...parts });
}

function mapped(shape: z.ZodRawShape): z.ZodRawShape {
  return Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, codeFormOf(schema)]));
}
