import type { AuditRecord, Roost } from '@roost-ai/sdk';
import { buildCommand, numberParser } from '@stricli/core';
import { agentNames, type Cli, type Common, common } from '../cli.js';
import { ago } from '../output/table.js';

interface AuditFlags extends Common {
  action?: string;
  limit: number;
}

export const audit = buildCommand({
  docs: { brief: 'Who did what to which thing, the newest first' },
  parameters: {
    flags: {
      ...common,
      action: { kind: 'parsed', parse: String, optional: true, brief: 'Only this action, such as agent.updated' },
      limit: { kind: 'parsed', parse: numberParser, default: '50', brief: 'How many' },
    },
    aliases: { n: 'limit' },
  },
  async func(this: Cli, { action, limit, ...flags }: AuditFlags) {
    const roost = this.connect(flags);
    const records = await roost.account.audit(action === undefined ? {} : { action }).toArray(Math.max(0, limit));
    if (flags.json) return this.out.json(records);
    const names = await namesIn(roost);
    const named = ({ type, id }: AuditRecord['target']) => {
      const name = names.get(id);
      return name === undefined ? `${type}:${id}` : `${type}:${name}`;
    };
    const rows = records.map((record) => [
      ago(record.at),
      named(record.actor),
      record.action,
      named(record.target),
      record.fields.join(', '),
    ]);
    this.out.table(['WHEN', 'WHO', 'ACTION', 'WHAT', 'FIELDS'], rows, 'Nothing yet.');
  },
});

/** Names of what there is by ids; what was deleted keeps its id. */
async function namesIn(roost: Roost): Promise<Map<string, string>> {
  const names = await agentNames(roost);
  const { platform_keys: keys } = await roost.account.keys.list();
  for (const { uuid, name } of keys) names.set(uuid, name);
  const user = await roost.account.user().catch(() => undefined);
  if (user?.email) names.set(user.uuid, user.email);
  return names;
}
