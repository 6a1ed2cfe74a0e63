import { readFileSync } from 'node:fs';
import type { Environment } from '#lib/config';
import { RoostError } from '#lib/contracts/errors';

/** What the launcher goes by itself, or would give the services a value of its own for. */
const OWN = [
  'DATABASE_URL',
  'NATS_URL',
  'PUBLIC_URL',
  'ROOST_WEBHOOK_NETWORK',
  'ROOST_MCP_NETWORK',
  'ROOST_VAULT_NETWORK',
  'ROOST_METRICS_PORT',
];

/**
 * The environment with those of the launcher's settings that are given as `NAME_FILE`. The services read their own.
 * Errors: VALIDATION_ERROR, naming the variable and the file.
 */
export function withOwnSettings(environment: Environment): Environment {
  return { ...environment, ...Object.fromEntries(OWN.map((name) => [name, valueOf(name, environment)])) };
}

function valueOf(name: string, environment: Environment): string | undefined {
  const file = environment[`${name}_FILE`];
  if (environment[name] || !file) return environment[name];
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new RoostError('VALIDATION_ERROR', `${name}_FILE: ${file} cannot be read (${code})`);
  }
}
