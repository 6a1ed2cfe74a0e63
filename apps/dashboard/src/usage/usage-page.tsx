import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { compactCount } from '../components/amounts.js';
import { buttonClass } from '../components/button.js';
import { Empty, ErrorNote } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Page, Section } from '../components/page.js';
import { Segmented } from '../components/segmented.js';
import { OWN_ZONE } from '../components/time.js';
import { datesOf, periodOf } from './period.js';
import { PeriodChoice } from './period-choice.js';
import { csvAddress, type Group, knownCostText, tokensOf, type UsageReport, usageQuery } from './usage.js';
import { UsageTable } from './usage-table.js';
import { UsageTabs } from './usage-tabs.js';

const UsageChart = lazy(async () => ({ default: (await import('./usage-chart.js')).UsageChart }));
const route = getRouteApi('/app/usage');
const GROUP_LABELS: { value: Group; label: string }[] = [
  { value: 'agent', label: 'Agent' },
  { value: 'model', label: 'Model' },
  { value: 'source', label: 'Source' },
  { value: 'day', label: 'Day' },
];

/** What the models have read, written and cost. */
export function UsagePage() {
  const { days: lastDays, from, to, ...rest } = route.useSearch();
  const { by = 'agent', show = 'tokens' } = rest;
  const period = periodOf({ days: lastDays, from, to });
  const navigate = route.useNavigate();
  const days = useQuery(usageQuery(period, 'day'));
  const groups = useQuery(usageQuery(period, by));
  const error = days.error ?? groups.error;
  return (
    <Page
      title="Usage"
      about={`What the models have read and written for your agents, and what that cost. Days are those of ${OWN_ZONE}.`}
      actions={
        <a href={csvAddress(period, by)} download className={buttonClass()}>
          <Icon name="download" />
          CSV
        </a>
      }
    >
      <UsageTabs />
      <PeriodChoice
        period={period}
        onChange={(next) => void navigate({ search: { ...rest, ...next }, replace: true })}
      />
      {error && !days.data && (
        <ErrorNote error={error} title="The usage cannot be read" onRetry={() => void days.refetch()} />
      )}
      {days.data?.total.steps === 0 ? (
        <NothingUsed />
      ) : (
        <div className="space-y-5">
          <Totals total={days.data?.total} />
          <Section
            title="By day"
            actions={
              <Segmented
                label="What the chart shows"
                options={[
                  { value: 'tokens', label: 'Tokens' },
                  { value: 'cost', label: 'Cost' },
                ]}
                value={show}
                onChange={(next) => void navigate({ search: (search) => ({ ...search, show: next }), replace: true })}
              />
            }
          >
            <Suspense fallback={<div className="skeleton h-72" />}>
              {days.data ? (
                <UsageChart dates={datesOf(period, OWN_ZONE)} rows={days.data.rows} show={show} />
              ) : (
                <div className="skeleton h-72" />
              )}
            </Suspense>
          </Section>
          <Section
            title="In sum"
            actions={
              <Segmented
                label="A row for each"
                options={GROUP_LABELS}
                value={by}
                onChange={(next) => void navigate({ search: (search) => ({ ...search, by: next }), replace: true })}
              />
            }
          >
            <UsageTable report={groups.data} />
          </Section>
        </div>
      )}
    </Page>
  );
}

function Totals({ total }: { total: UsageReport['total'] | undefined }) {
  const facts = total && {
    Tokens: compactCount(tokensOf(total)),
    Cost: knownCostText(total),
    'Model calls': compactCount(total.steps),
    'Read from caches': `${Math.round((100 * total.cached_input_tokens) / Math.max(1, total.input_tokens))} %`,
  };
  return (
    <div className="space-y-2">
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        {Object.entries(facts ?? { Tokens: null, Cost: null, 'Model calls': null, 'Read from caches': null }).map(
          ([name, value]) => (
            <div key={name} className="rounded-2xl border border-line bg-surface px-5 py-3">
              <dt className="text-xs text-faint">{name}</dt>
              <dd className="min-h-8 text-xl font-semibold tabular-nums">
                {value ?? <span className="skeleton mt-1 block h-6 w-20" />}
              </dd>
            </div>
          ),
        )}
      </dl>
      {total && total.unpriced_steps > 0 && (
        <p className="text-sm text-soft">
          The price of {total.unpriced_steps === 1 ? 'one call' : `${total.unpriced_steps} calls`} is not known, and is
          not part of the cost. Whoever runs this Roost sets prices by{' '}
          <code className="font-mono text-xs">ROOST_MODEL_PRICES</code>.
        </p>
      )}
    </div>
  );
}

const NothingUsed = () => (
  <Empty
    icon="chart-column"
    title="Nothing was used in this time"
    code={`const { rows, total } = await roost.usage.report({ group_by: 'agent' });\nconsole.log(total.input_tokens, total.cost_usd);`}
    cli="roost usage --by agent"
    action={
      <Link to="/agents" className={buttonClass('primary')}>
        To the agents
      </Link>
    }
  >
    Every call of a model is counted here with its tokens and its price, by day, agent, model and where the message came
    from.
  </Empty>
);
