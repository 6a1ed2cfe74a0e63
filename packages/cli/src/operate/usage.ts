import { buildCommand } from '@stricli/core';
import { agentNames, type Cli, type Common, common } from '../cli.js';
import { clean } from '../output/clean.js';

const GROUPS = ['agent', 'model', 'day', 'source'] as const;

interface UsageFlags extends Common {
  by: (typeof GROUPS)[number];
  quotas?: boolean;
}

export const usage = buildCommand({
  docs: { brief: 'Tokens and cost of the last days; with --quotas what the account may have of each thing' },
  parameters: {
    flags: {
      ...common,
      by: { kind: 'enum', values: GROUPS, default: 'day', brief: 'A row for each' },
      quotas: { kind: 'boolean', optional: true, withNegated: false, brief: 'Quotas and their use instead' },
    },
  },
  async func(this: Cli, flags: UsageFlags) {
    if (flags.quotas) return showQuotas(this, flags);
    const roost = this.connect(flags);
    const report = await roost.usage.report({ group_by: flags.by });
    if (flags.json) return this.out.json(report);
    const names = flags.by === 'agent' ? await agentNames(roost) : new Map<string, string>();
    const rows = report.rows.map((row) => [
      row.input_tokens,
      row.output_tokens,
      // Of a model without a price it is not known.
      row.cost_usd === null ? 'unknown' : `$${String(row.cost_usd)}`,
      // Of a deleted agent the id is left.
      names.get(row.agent_id ?? '') ?? row.agent_id ?? row.model ?? row.day ?? row.source,
    ]);
    this.out.table(['INPUT', 'OUTPUT', 'COST', flags.by.toUpperCase()], rows, 'Nothing was used yet.');
    this.out.note(this.out.dim(clean(`${report.from} to ${report.to}`)));
  },
});

async function showQuotas(cli: Cli, flags: Common): Promise<void> {
  const quotas = await cli.connect(flags).account.quotas();
  if (flags.json) return cli.out.json({ quotas });
  const rows = quotas.map(({ name, limit, used }) => [used ?? 'unknown', limit, name]);
  cli.out.table(['USED', 'OF', 'QUOTA'], rows, 'None.');
}
