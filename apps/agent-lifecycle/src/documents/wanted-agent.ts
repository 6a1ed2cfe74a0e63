import {
  type AgentConfiguration,
  CreateAgent,
  type DocumentedAgent,
  type DocumentedConfiguration,
  encode,
  type ErrorDetail,
  type FromEnvironment,
  MAX_ENV_ENTRIES,
  type McpServerConfig,
  type OwnBots,
  ownBotChanges,
  ownBotFields,
  PARSE_CONTEXT,
  PLATFORM_NAMES,
  RoostError,
  snakeCase,
  wire,
} from '#lib/contracts';
import { validationError } from '#lib/rpc';
import { MERGED } from '../agents/agent-changes.js';
import { botField, MASK } from '../agents/agent-secrets.js';
import type { Configured } from '../versions/configured.js';

const BotChanges = wire(ownBotChanges);
const StoredBots = wire(ownBotFields);

type Given = string | FromEnvironment;
type Texts = Record<string, string>;
type DocumentedServer = NonNullable<DocumentedConfiguration['mcpServers']>[string];

/**
 * What a document wants an agent to be. What it does not name is as it is, or, with `prune`, as in a new agent; keys,
 * bots and the size of the volume stay in any case. Secrets that are given by name have the value that they have now.
 * Errors: VALIDATION_ERROR naming the fields, also of secrets that have no value yet.
 */
export function wantedAgent(
  name: string,
  given: DocumentedAgent,
  before: Configured | undefined,
  prune: boolean,
): Configured {
  const secrets = new Secrets();
  const fresh = CreateAgent.parse({ name });
  const base = before && !prune ? before : fresh;
  const wanted: Configured = {
    name,
    description: given.description === undefined ? base.description : given.description,
    pvcSize: given.pvcSize ?? before?.pvcSize ?? fresh.pvcSize,
    systemPrompt: given.systemPrompt === undefined ? base.systemPrompt : given.systemPrompt,
    systemPromptType: given.systemPromptType ?? base.systemPromptType,
    sessionMode: given.sessionMode ?? base.sessionMode,
    warmthWindowMs: given.warmthWindowMs === undefined ? base.warmthWindowMs : given.warmthWindowMs,
    configuration: configurationOf(given.configuration ?? {}, before?.configuration ?? {}, prune, secrets),
    providerKeys: keysOf(given.providerKeys ?? {}, before?.providerKeys ?? {}, secrets),
    bots: botsOf(given, before?.bots ?? {}, secrets),
  };
  secrets.requireAll();
  return wanted;
}

/** Puts stored values in the place of names, and collects those that have none. */
class Secrets {
  private readonly missing: ErrorDetail[] = [];

  fill(field: string, given: Given, stored: string | undefined): string {
    const name = typeof given === 'string' ? undefined : given.fromEnv;
    if (typeof given === 'string' && given !== MASK) return given;
    if (stored === undefined) {
      const message =
        name === undefined ? `is ${MASK}, and there is no value yet` : `${name} is not set, and there is no value yet`;
      this.missing.push({
        field,
        reason: 'missing_secret',
        message,
        ...(name === undefined ? {} : { from_env: name }),
      });
    }
    return stored ?? '';
  }

  fillAll(path: string, given: Record<string, Given>, stored: Texts = {}): Texts {
    return Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, this.fill(`${path}.${name}`, value, ownOf(stored, name))]),
    );
  }

  requireAll(): void {
    const [first] = this.missing;
    if (first) throw new RoostError('VALIDATION_ERROR', `${first.field}: ${String(first['message'])}`, this.missing);
  }
}

function configurationOf(
  given: DocumentedConfiguration,
  before: AgentConfiguration,
  prune: boolean,
  secrets: Secrets,
): AgentConfiguration {
  const { customEnv, mcpServers, ...open } = given;
  const base: AgentConfiguration = prune ? {} : before;
  const after: Record<string, unknown> = { ...base };
  for (const [field, value] of Object.entries(open)) {
    if (value === null) delete after[field];
    else if (value !== undefined) after[field] = value;
  }
  for (const field of MERGED) {
    if (open[field] && base[field]) after[field] = { ...base[field], ...open[field] };
  }
  const put = (field: 'customEnv' | 'mcpServers', value: object | null | undefined) => {
    if (value === null) delete after[field];
    else if (value) after[field] = { ...base[field], ...value };
  };
  put('customEnv', customEnv && secrets.fillAll('configuration.custom_env', customEnv, before.customEnv));
  const server = ([name, config]: [string, DocumentedServer]) => {
    const stored = ownOf(before.mcpServers ?? {}, name);
    return [name, serverOf(`configuration.mcp_servers.${name}`, config, stored, prune, secrets)];
  };
  put('mcpServers', mcpServers && Object.fromEntries(Object.entries(mcpServers).map(server)));
  requireFewVariables(after as AgentConfiguration);
  return after as AgentConfiguration;
}

/** What the document names and what stays come to more than either. */
function requireFewVariables({ customEnv = {} }: AgentConfiguration): void {
  if (Object.keys(customEnv).length <= MAX_ENV_ENTRIES) return;
  const message = `at most ${MAX_ENV_ENTRIES} entries, with those that the agent has already`;
  throw new RoostError('VALIDATION_ERROR', `configuration.custom_env: ${message}`, [
    { field: 'configuration.custom_env', reason: 'too_many', message, max: MAX_ENV_ENTRIES },
  ]);
}

/** The server as it is given; its headers or variables that are not named stay, unless `prune`. */
function serverOf(
  path: string,
  given: DocumentedServer,
  before: McpServerConfig | undefined,
  prune: boolean,
  secrets: Secrets,
): McpServerConfig {
  const kept = <T>(stored: T | undefined) => (prune ? undefined : stored);
  if ('url' in given) {
    const { headers, ...server } = given;
    const stored = before && 'url' in before ? before.headers : undefined;
    if (!headers && !kept(stored)) return server;
    return { ...server, headers: { ...kept(stored), ...secrets.fillAll(`${path}.headers`, headers ?? {}, stored) } };
  }
  const { env, ...server } = given;
  const stored = before && 'command' in before ? before.env : undefined;
  if (!env && !kept(stored)) return server;
  return { ...server, env: { ...kept(stored), ...secrets.fillAll(`${path}.env`, env ?? {}, stored) } };
}

function keysOf(
  given: NonNullable<DocumentedAgent['providerKeys']>,
  before: Configured['providerKeys'],
  secrets: Secrets,
): Configured['providerKeys'] {
  const after: Partial<Record<string, string>> = { ...before };
  for (const [provider, key] of Object.entries(given)) {
    if (key === null) delete after[provider];
    else if (key !== undefined)
      after[provider] = secrets.fill(`provider_keys.${provider}`, key, before[provider as keyof typeof before]);
  }
  return after;
}

function botsOf(given: DocumentedAgent, before: OwnBots, secrets: Secrets): OwnBots {
  const stored = encode(StoredBots, before) as Record<string, string | Texts | undefined>;
  const after: OwnBots = { ...before };
  for (const platform of PLATFORM_NAMES) {
    const field = botField(platform);
    const path = snakeCase(field);
    const bot = given[field];
    if (bot === null) delete after[field];
    // The whole bot by one name: what there is stays.
    else if (bot !== undefined && !(isName(bot) && stored[path] !== undefined)) {
      const filled = filledBot(path, bot, stored[path], secrets);
      const parsed = BotChanges.safeParse({ [path]: filled }, PARSE_CONTEXT);
      if (!parsed.success) {
        secrets.requireAll();
        throw validationError(parsed.error);
      }
      Object.assign(after, { [field]: parsed.data[field] });
    }
  }
  return after;
}

function filledBot(
  path: string,
  bot: Given | Record<string, Given>,
  stored: string | Texts | undefined,
  secrets: Secrets,
): string | Texts {
  if (typeof bot === 'string' || isName(bot))
    return secrets.fill(path, bot, typeof stored === 'string' ? stored : undefined);
  return secrets.fillAll(path, bot, typeof stored === 'object' ? stored : {});
}

const isName = (value: Given | Record<string, Given>): value is FromEnvironment =>
  typeof value === 'object' && typeof value['fromEnv'] === 'string';

const ownOf = <T>(record: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
