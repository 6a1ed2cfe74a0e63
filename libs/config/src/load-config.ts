import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Environment } from './running-service.js';

/** Marks a field whose value must never be printed. */
export const secret = <T extends z.ZodType>(schema: T): T => schema.meta({ ...schema.meta(), secret: true });

/** A switch as people write it: 1/0, true/false, yes/no, on/off. */
export const flag = z.stringbool();

/**
 * Reads a service's configuration. Each field is an environment variable of that name; `NAME_FILE` names a file
 * that holds the value, for secrets mounted as files. Empty variables count as unset.
 * Errors: one that names every variable that is missing or wrong, without its value.
 */
export function loadConfig<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  env: Environment,
): z.output<z.ZodObject<S>> {
  const values: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const file = env[`${name}_FILE`];
    const value = env[name] || (file ? readFileSync(file, 'utf8').trim() : undefined);
    if (value) values[name] = value;
  }
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`configuration is not usable:\n${complaints.join('\n')}`);
}

/** The configuration as lines of NAME=value, secrets masked: what `--print-config` shows. */
export function printConfig<S extends z.ZodRawShape>(schema: z.ZodObject<S>, config: z.output<z.ZodObject<S>>): string {
  return Object.entries(schema.shape)
    .map(([name, field]) => {
      const value = (config as Record<string, unknown>)[name];
      const isSecret = (field as z.ZodType).meta()?.['secret'] === true;
      return `${name}=${value === undefined ? '' : isSecret ? '***' : JSON.stringify(value)}`;
    })
    .join('\n');
}
