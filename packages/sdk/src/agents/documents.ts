import { type Core, dataOf, idOf } from '../core.js';
import { documentsApply, documentsExport } from '../generated/sdk.gen.js';
import type { DocumentsApplyData, DocumentsApplyResponses, DocumentsExportResponses } from '../generated/types.gen.js';
import type { CallOptions } from '../transport/transport.js';

/** Agents as they are to be, by name. */
export type AgentDocument = DocumentsApplyData['body'];
export type ExportedDocument = DocumentsExportResponses[200];
export type AppliedDocument = DocumentsApplyResponses[200];
export type AppliedObject = AppliedDocument['objects'][number];

/** Where secrets are: `{ from_env }` is given a value here, and nowhere else. */
const SECRETS = [
  'agents.*.provider_keys.*',
  'agents.*.*_bot_token',
  'agents.*.*_bot_token.*',
  'agents.*.configuration.custom_env.*',
  'agents.*.configuration.mcp_servers.*.headers.*',
  'agents.*.configuration.mcp_servers.*.env.*',
  'agents.*.webhooks.*.secret',
].map((path) => path.split('.'));

type Environment = Record<string, string | undefined>;

export interface ApplyOptions extends CallOptions {
  /** Nothing is changed; the answer says what would be. */
  dryRun?: boolean;
  /** Where secrets by name have their values, such as `process.env`. One without a value there stays as it is. */
  env?: Environment;
}

/** @internal */
export class Documents {
  constructor(private readonly core: Core) {}

  export(agentId: string, options?: CallOptions): Promise<ExportedDocument> {
    return dataOf(documentsExport({ ...this.core.by(options), path: { id: idOf(agentId, 'an agent') } }));
  }

  apply(document: AgentDocument, { dryRun, env = {}, ...options }: ApplyOptions = {}): Promise<AppliedDocument> {
    const query = dryRun ? { dry_run: 'true' as const } : {};
    const { document: body } = withSecrets(document, env);
    return dataOf(documentsApply({ ...this.core.by({ timeoutMs: APPLY_MS, ...options }), body, query }));
  }
}

/** A document of many agents is checked with their providers. */
const APPLY_MS = 130_000;

/**
 * The document with the values of its secrets by name, as far as `env` has them; `missing` are the names that it has
 * not, whose present values stay.
 */
export function withSecrets(document: AgentDocument, env: Environment): { document: AgentDocument; missing: string[] } {
  const missing = new Set<string>();
  const filled = (value: unknown, path: string[]): unknown => {
    if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
    const name = SECRETS.some((secret) => fits(secret, path)) ? nameIn(value) : undefined;
    if (name === undefined)
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner, [...path, key])]));
    if (Object.hasOwn(env, name) && env[name] !== undefined) return env[name];
    missing.add(name);
    return value;
  };
  return { document: filled(document, []) as AgentDocument, missing: [...missing] };
}

function nameIn(value: object): string | undefined {
  const [[key, name] = [], another] = Object.entries(value) as [string, unknown][];
  return key === 'from_env' && typeof name === 'string' && another === undefined ? name : undefined;
}

const fits = (pattern: string[], path: string[]) =>
  pattern.length === path.length &&
  pattern.every(
    (part, at) => part === '*' || part === path[at] || (part === '*_bot_token' && path[at]?.endsWith('_bot_token')),
  );
