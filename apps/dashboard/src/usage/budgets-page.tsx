import type { Budget } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { agentsQuery } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { buttonClass } from '../components/button.js';
import { Confirm } from '../components/dialog.js';
import { Badge, Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Menu } from '../components/menu.js';
import { Page } from '../components/page.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { UseBar } from '../components/use-bar.js';
import { visibleText } from '../components/visible-text.js';
import { BudgetDialog } from './budget-dialog.js';
import { budgetsKey, budgetsQuery, useOf } from './budgets.js';
import { UsageTabs } from './usage-tabs.js';

const route = getRouteApi('/app/usage/budgets');

export function BudgetsPage() {
  const { edit } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: budgets, error, refetch } = useQuery(budgetsQuery);
  const edited = budgets?.find(({ id }) => id === edit);
  return (
    <Page
      title="Usage"
      tabTitle="Budgets"
      about="Caps of what agents may use. At the cap no further model call starts; messages wait, and go on by themselves."
      actions={budgets && budgets.length > 0 && <NewLink />}
    >
      <UsageTabs />
      {error && !budgets && (
        <ErrorNote error={error} title="The budgets cannot be listed" onRetry={() => void refetch()} />
      )}
      {!budgets && !error && <Skeletons count={3} className="h-24" />}
      {budgets?.length === 0 && <NoBudgets />}
      {budgets && budgets.length > 0 && (
        <ul aria-label="Budgets" className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {budgets.map((budget) => (
            <BudgetRow key={budget.id} budget={budget} />
          ))}
        </ul>
      )}
      {budgets && (edit === 'new' || edited) && (
        <BudgetDialog key={edit} budget={edited} onClose={() => void navigate({ search: {}, replace: true })} />
      )}
    </Page>
  );
}

const NewLink = () => (
  <Link to="/usage/budgets" search={{ edit: 'new' }} className={buttonClass('primary')}>
    <Icon name="plus" />
    New budget
  </Link>
);

const NoBudgets = () => (
  <Empty
    icon="gauge"
    title="Nobody spends more than you allow"
    action={<NewLink />}
    code={`await roost.usage.budgets.create({ limit_usd: '10', period: 'month' });`}
    cli="roost budgets set --usd 10 --per month"
  >
    A budget caps the tokens or the money of a day or a month: of one agent, or of all together. What waits goes on when
    the next period begins or the cap is raised.
  </Empty>
);

function BudgetRow({ budget }: { budget: Budget }) {
  const { data: agents } = useQuery(agentsQuery);
  const { text, percent } = useOf(budget);
  const agent = agents?.find(({ id }) => id === budget.agent_id);
  const name = budget.agent_id === null ? 'All agents together' : visibleText(agent?.name ?? budget.agent_id);
  return (
    <li className="flex items-center gap-3 py-4 pr-3 pl-5">
      <div className="min-w-0 grow space-y-2">
        <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
          <h2 className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-medium wrap-anywhere">
            {name}
            {budget.is_exhausted && <Badge tone="bad">Exhausted: messages wait</Badge>}
          </h2>
          <span className="text-sm tabular-nums">
            {text} <span className="text-faint">a {budget.period}</span>
          </span>
        </div>
        <UseBar label={`Used of the budget of ${name}`} percent={percent} warnAt={budget.threshold_percent} />
        <p className="text-xs text-soft">
          {percent} % used · begins anew <Time at={budget.period_ends_at} />, by the calendar of {budget.timezone} ·{' '}
          <code className="font-mono">budget.threshold</code> at {budget.threshold_percent} %
        </p>
      </div>
      <BudgetMenu budget={budget} name={name} />
    </li>
  );
}

function BudgetMenu({ budget: { id }, name }: { budget: Budget; name: string }) {
  const [isAsked, setAsked] = useState(false);
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => roost.usage.budgets.delete(id),
    onSuccess: () => {
      toast('The budget is deleted.');
      setAsked(false);
      return client.invalidateQueries({ queryKey: budgetsKey });
    },
    onError: toastError,
  });
  return (
    <>
      <Menu
        label={`Actions for the budget of ${name}`}
        items={[
          { label: 'Edit', icon: 'pencil', onSelect: () => void navigate({ search: { edit: id } }) },
          { label: 'Delete …', icon: 'trash-2', isDangerous: true, onSelect: () => setAsked(true) },
        ]}
      />
      <Confirm
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        onConfirm={() => remove.mutate()}
        title="Delete this budget?"
        action="Delete it"
        isBusy={remove.isPending}
      >
        {name}: what it held back goes on at once, and nothing else caps it.
      </Confirm>
    </>
  );
}
