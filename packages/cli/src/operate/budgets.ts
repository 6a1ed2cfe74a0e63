import type { Budget, NewBudget, Roost } from '@roost-ai/sdk';
import { buildCommand, buildRouteMap, numberParser } from '@stricli/core';
import { agentArgument, agentNames, type Cli, type Common, common, findAgent } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { ago } from '../output/table.js';

const PERIODS = ['day', 'month'] as const;

interface AgentFlags extends Common {
  agent?: string;
}

interface SetFlags extends AgentFlags {
  usd?: string;
  tokens?: number;
  per: (typeof PERIODS)[number];
  timezone?: string;
  threshold?: number;
}

const agentFlag = { ...agentArgument, kind: 'parsed', optional: true } as const;

const list = buildCommand({
  docs: { brief: 'Caps of what agents may use, and what is used of them' },
  parameters: { flags: { ...common, agent: { ...agentFlag, brief: 'Only those that hold for this agent' } } },
  async func(this: Cli, flags: AgentFlags) {
    const roost = this.connect(flags);
    const budgets = await roost.usage.budgets.list(await idOf(roost, flags.agent));
    if (flags.json) return this.out.json(budgets);
    const names = await agentNames(roost);
    const rows = budgets.map((one) => [
      one.id,
      usedOf(one),
      `${one.period}, ${one.timezone}`,
      ago(one.period_ends_at),
      one.agent_id === null ? 'all agents' : (names.get(one.agent_id) ?? one.agent_id),
    ]);
    this.out.table(
      ['ID', 'USED', 'PER', 'BEGINS ANEW', 'OF'],
      rows,
      'No budgets. Set one with: roost budgets set --usd 10 --per month',
    );
  },
});

const set = buildCommand({
  docs: {
    brief: 'Cap what an agent, or all together, may use in a day or month',
    fullDescription:
      'At the cap no further model step starts, and messages wait for the next period or a higher cap. A budget in the ' +
      'same unit and period is changed; where there is none, one is made.',
  },
  parameters: {
    flags: {
      ...common,
      agent: { ...agentFlag, brief: 'Of this agent; of all together if not given' },
      usd: { kind: 'parsed', parse: String, optional: true, brief: 'Most money, in US dollars, e.g. 1.50' },
      tokens: { kind: 'parsed', parse: numberParser, optional: true, brief: 'Most tokens, read and written' },
      per: { kind: 'enum', values: PERIODS, default: 'day', brief: 'When the count begins anew' },
      timezone: {
        kind: 'parsed',
        parse: String,
        optional: true,
        brief: 'Whose days and months, e.g. Europe/Berlin; UTC if not given',
      },
      threshold: {
        kind: 'parsed',
        parse: numberParser,
        optional: true,
        brief: 'At which percentage budget.threshold is sent; 80 if not given',
      },
    },
  },
  async func(this: Cli, flags: SetFlags) {
    if ((flags.usd === undefined) === (flags.tokens === undefined))
      throw new CliError('say either --usd or --tokens', EXIT.usage);
    const roost = this.connect(flags);
    const agentId = (await idOf(roost, flags.agent)) ?? null;
    const wanted = limitsOf(flags);
    const existing = (await roost.usage.budgets.list(agentId ?? undefined)).find(
      (one) =>
        one.agent_id === agentId &&
        one.period === flags.per &&
        (one.limit_usd === null) === (wanted.limit_usd === undefined),
    );
    const { budgets } = roost.usage;
    const budget = existing
      ? await budgets.update(existing.id, wanted)
      : await budgets.create({ ...wanted, agent_id: agentId });
    if (flags.json) this.out.json(budget);
    else this.out.line(`${budget.id}  ${usedOf(budget)} per ${budget.period}, ${budget.timezone}`);
  },
});

const remove = buildCommand({
  docs: { brief: 'Delete a budget; what waited for it goes on' },
  parameters: {
    flags: common,
    positional: { kind: 'tuple', parameters: [{ brief: 'Id of the budget', placeholder: 'budget', parse: String }] },
  },
  async func(this: Cli, flags: Common, id: string) {
    await this.connect(flags).usage.budgets.delete(id);
    if (flags.json) this.out.json({ id });
    else this.out.line('deleted');
  },
});

function limitsOf({ usd, tokens, per, timezone, threshold }: SetFlags): NewBudget {
  return {
    period: per,
    ...(usd === undefined ? {} : { limit_usd: usd }),
    ...(tokens === undefined ? {} : { limit_tokens: tokens }),
    ...(timezone === undefined ? {} : { timezone }),
    ...(threshold === undefined ? {} : { threshold_percent: threshold }),
  };
}

async function idOf(roost: Roost, agent: string | undefined): Promise<string | undefined> {
  return agent === undefined ? undefined : (await findAgent(roost, agent)).id;
}

function usedOf(budget: Budget): string {
  const isMoney = budget.limit_usd !== null;
  const used = isMoney
    ? `$${budget.used_usd ?? '?'} of $${budget.limit_usd}`
    : `${budget.used_tokens ?? '?'} of ${budget.limit_tokens} tokens`;
  return budget.is_exhausted ? `${used} (exhausted)` : used;
}

export const budgets = buildRouteMap({
  docs: { brief: 'Caps of tokens and money' },
  routes: { list, set, delete: remove },
});
