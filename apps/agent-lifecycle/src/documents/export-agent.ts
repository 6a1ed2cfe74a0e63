import { groupedBy, onlyOne } from '#lib/apply-plan';
import {
  type AgentDocument,
  type DocumentedAgent,
  type DocumentedConfiguration,
  encode,
  type FromEnvironment,
  type OwnBots,
  ownBotFields,
  PLATFORM_NAMES,
  RoostError,
  type Schedule,
  snakeCase,
  type Trigger,
  type VaultGrant,
  type WebhookEndpoint,
  wire,
} from '#lib/contracts';
import { botField, mapValues } from '../agents/agent-secrets.js';
import type { Configured } from '../versions/configured.js';

interface Parts {
  schedules: Schedule[];
  triggers: Trigger[];
  webhooks: WebhookEndpoint[];
  grants: VaultGrant[];
}

const StoredBots = wire(ownBotFields);

/** An agent as a document, its secrets by name. Errors: CONFLICT where several schedules, triggers or webhooks have one name. */
export function exportedAgent(agent: Configured, { schedules, triggers, webhooks, grants }: Parts): AgentDocument {
  const names = new VariableNames(agent.name);
  const { name, description, systemPrompt, configuration, providerKeys, bots, ...settings } = agent;
  requireUsable(name);
  const documented: DocumentedAgent = {
    ...(description === null ? {} : { description }),
    ...settings,
    ...(systemPrompt === null ? {} : { systemPrompt }),
    ...ifAny(
      'providerKeys',
      mapValues(providerKeys, (_, provider) => names.of(`${provider}_KEY`)),
    ),
    ...botsOf(bots, names),
    ...ifAny('configuration', configurationOf(configuration, names)),
    ...ifAny(
      'schedules',
      byName('schedule', schedules, ({ name: key }) => key, scheduleOf),
    ),
    ...ifAny(
      'triggers',
      byName('trigger', triggers, ({ name: key }) => key, triggerOf),
    ),
    ...ifAny(
      'webhooks',
      byName('webhook', webhooks, ({ url }) => url, webhookOf),
    ),
    ...ifAny('vault', Object.fromEntries(grants.map(({ secret, envName, ask }) => [secret, { envName, ask }]))),
  };
  return { agents: { [name]: documented }, prune: false };
}

/** Names of variables for the secrets of one agent: two that would be the same get a number. */
class VariableNames {
  private readonly taken = new Set<string>();
  private readonly prefix: string;

  constructor(agent: string) {
    this.prefix = upper(agent) || 'AGENT';
  }

  of(secret: string): FromEnvironment {
    const first = `${/^\d/.test(this.prefix) ? '_' : ''}${this.prefix}_${upper(secret)}`.slice(0, 190);
    let name = first;
    for (let n = 2; this.taken.has(name); n++) name = `${first}_${n}`;
    this.taken.add(name);
    return { fromEnv: name };
  }
}

const upper = (text: string) =>
  text
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_|_$/g, '');

function botsOf(bots: OwnBots, names: VariableNames): Partial<DocumentedAgent> {
  const stored = encode(StoredBots, bots) as Record<string, string | Record<string, string> | undefined>;
  return Object.fromEntries(
    PLATFORM_NAMES.flatMap((platform) => {
      const bot = stored[snakeCase(botField(platform))];
      if (bot === undefined) return [];
      const named =
        typeof bot === 'string'
          ? names.of(`${platform}_BOT_TOKEN`)
          : mapValues(bot, (_, field) => names.of(`${platform}_${field}`));
      return [[botField(platform), named]];
    }),
  );
}

function configurationOf(
  { customEnv, mcpServers, ...open }: Configured['configuration'],
  names: VariableNames,
): DocumentedConfiguration {
  const named = (values: Record<string, string>, path = '') => mapValues(values, (_, name) => names.of(path + name));
  return {
    ...open,
    ...(customEnv ? { customEnv: named(customEnv) } : {}),
    ...(mcpServers
      ? {
          mcpServers: mapValues(mcpServers, (server, name) => {
            const path = `MCP_${name}_`;
            if (!('url' in server)) {
              const { env, ...rest } = server;
              return env ? { ...rest, env: named(env, path) } : rest;
            }
            const { headers, ...rest } = server;
            return headers ? { ...rest, headers: named(headers, path) } : rest;
          }),
        }
      : {}),
  };
}

/** Errors: CONFLICT for the one name that JSON cannot safely have as a key. */
function requireUsable(name: string): void {
  if (name === '__proto__')
    throw new RoostError('CONFLICT', 'what is called "__proto__" has no place in a document: rename it', [
      { reason: 'unusable_name', name },
    ]);
}

function byName<T extends { id: string }, D>(
  what: string,
  items: T[],
  nameOf: (item: T) => string,
  documented: (item: T) => D,
): Record<string, D> {
  for (const [name, same] of groupedBy(items, nameOf)) {
    requireUsable(name);
    onlyOne({ what }, name, same);
  }
  return Object.fromEntries(items.map((item) => [nameOf(item), documented(item)]));
}

const scheduleOf = (schedule: Schedule) => ({
  cronExpression: schedule.cronExpression,
  messageTemplate: schedule.messageTemplate,
  timezone: schedule.timezone,
  enabled: schedule.enabled,
  queueMode: schedule.queueMode,
  overlap: schedule.overlap,
  catchUp: schedule.catchUp,
});
const triggerOf = ({ messageTemplate, enabled }: Trigger) => ({ messageTemplate, enabled });
const webhookOf = ({ events, description, enabled }: WebhookEndpoint) => ({ events, description, enabled });

function ifAny<K extends string, V extends object>(name: K, value: V): { [P in K]?: V } {
  return (Object.keys(value).length > 0 ? { [name]: value } : {}) as { [P in K]?: V };
}
