import type { Quota } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { Page } from '../components/page.js';
import { UseBar } from '../components/use-bar.js';
import { quotasQuery } from './keys.js';
import { QUOTA_LABELS, quotaPercent, quotaText } from './quota-amounts.js';
import { SettingsTabs } from './settings-tabs.js';

/** How much of each thing the account may have, and has. */
export function QuotasPage() {
  const { data: quotas, error, refetch } = useQuery(quotasQuery);
  return (
    <Page
      title="Settings"
      tabTitle="Quotas"
      about="How much of each thing you may have. Over it, making more is refused; whoever runs this Roost can change it."
    >
      <SettingsTabs />
      {error && !quotas && <ErrorNote error={error} title="The quotas cannot be read" onRetry={() => void refetch()} />}
      {!quotas && !error && <Skeletons count={12} className="h-12" />}
      {quotas && (
        <>
          <ul
            aria-label="Quotas"
            className="grid gap-x-10 gap-y-5 rounded-2xl border border-line bg-surface p-5 sm:grid-cols-2"
          >
            {quotas.map((quota) => (
              <QuotaRow key={quota.name} quota={quota} />
            ))}
          </ul>
          <SameBy means="CLI" code="roost usage --quotas" />
        </>
      )}
    </Page>
  );
}

function QuotaRow({ quota }: { quota: Quota }) {
  const label = QUOTA_LABELS[quota.name];
  return (
    <li className="space-y-1.5">
      <div className="flex items-baseline justify-between gap-4 text-sm">
        <span className="font-medium">{label}</span>
        <span className="text-soft tabular-nums">{quotaText(quota)}</span>
      </div>
      <UseBar label={`Used: ${label}`} percent={quotaPercent(quota)} />
    </li>
  );
}
