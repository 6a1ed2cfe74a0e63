import { useQuery } from '@tanstack/react-query';
import { ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { Page } from '../components/page.js';
import { quotasQuery } from './keys.js';
import { QuotaUse } from './quota-use.js';
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
              <QuotaUse key={quota.name} quota={quota} />
            ))}
          </ul>
          <SameBy means="CLI" code="roost usage --quotas" />
        </>
      )}
    </Page>
  );
}
