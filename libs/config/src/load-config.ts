import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The environment a service is started with: `process.env`, or what the launcher passes. */
export type Environment = Record<string, string | undefined>;

/** Marks a field whose value must never be printed. */
export const secret = <T extends z.ZodType>(schema: T): T => schema.meta({ ...schema.meta(), secret: true });

/** A switch as people write it: 1/0, true/false, yes/no, on/off. */
export const flag = z.stringbool();

/** A setting is missing or wrong; the message names each, and never its value. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/**
 * Reads a service's configuration. Each field is an environment variable of that name; `NAME_FILE` names a file
 * that holds the value, for secrets mounted as files. Empty variables count as unset.
 * Errors: a ConfigurationError that names every variable that is missing or wrong, without its value.
 */
export function loadConfig<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  env: Environment,
): z.output<z.ZodObject<S>> {
  const { values, unreadable } = readValues(schema, env);
  const parsed = schema.safeParse(values);
  if (parsed.success && unreadable.length === 0) return parsed.data;
  const complaints = (parsed.error?.issues ?? []).map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigurationError(`configuration is not usable:\n${[...unreadable, ...complaints].join('\n')}`);
}

function readValues(schema: z.ZodObject, env: Environment) {
  const values: Record<string, string> = {};
  const unreadable: string[] = [];
  for (const name of Object.keys(schema.shape)) {
    const file = env[`${name}_FILE`];
    try {
      const value = env[name] || (file ? readFileSync(file, 'utf8').trim() : undefined);
      if (value) values[name] = value;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
      unreadable.push(`  ${name}_FILE: ${file} cannot be read (${code})`);
    }
  }
  return { values, unreadable };
}

/**
 * The configuration as lines of NAME=value, secrets masked: what `--print-config` shows. What is missing or wrong is
 * noted on its line, so that it also helps where `loadConfig` fails.
 */
export function printConfig(schema: z.ZodObject, env: Environment): string {
  const { values, unreadable } = readValues(schema, env);
  const lines = Object.entries(schema.shape).map(([name, field]) => {
    const type = field as z.ZodType;
    const parsed = type.safeParse(values[name]);
    if (!parsed.success) {
      const problem = values[name] === undefined ? 'must be set' : (parsed.error.issues[0]?.message ?? 'is wrong');
      return `${name}=  # ${problem}`;
    }
    return `${name}=${parsed.data === undefined ? '' : isSecret(type) ? '***' : JSON.stringify(parsed.data)}`;
  });
  return [...lines, ...unreadable.map((complaint) => `# ${complaint.trim()}`)].join('\n');
}

/** Whether it, or what it is made of, was marked by `secret`: `.optional()`, `.default()` and `.transform()` wrap the mark. */
function isSecret(type: z.ZodType): boolean {
  if (type.meta()?.['secret'] === true) return true;
  const { innerType, in: input } = type.def as { innerType?: z.ZodType; in?: z.ZodType };
  const inner = innerType ?? input;
  return inner !== undefined && isSecret(inner);
}
