import type { Quota } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { bytesText } from '../components/amounts.js';
import { ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { Page } from '../components/page.js';
import { UseBar } from '../components/use-bar.js';
import { quotasQuery } from './keys.js';
import { SettingsTabs } from './settings-tabs.js';

const NAMES: Record<Quota['name'], string> = {
  agents: 'Agents',
  stored_bytes: 'Stored files',
  messages_waiting: 'Messages that wait',
  awake_workspaces: 'Sandboxes awake at once',
  schedules: 'Schedules',
  triggers: 'Triggers',
  webhook_endpoints: 'Webhook endpoints',
  mcp_servers: 'MCP servers',
  channel_bindings: 'Linked chats',
  api_keys: 'API keys',
  provider_keys: 'Provider keys',
  vault_secrets: 'Secrets in the vault',
  vault_grants: 'Grants of secrets',
  event_streams: 'Open event streams',
};

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

function QuotaRow({ quota: { name, limit, used } }: { quota: Quota }) {
  const text = (amount: number) => (name === 'stored_bytes' ? bytesText(amount) : amount.toLocaleString('en'));
  const label = NAMES[name];
  return (
    <li className="space-y-1.5">
      <div className="flex items-baseline justify-between gap-4 text-sm">
        <span className="font-medium">{label}</span>
        <span className="text-soft tabular-nums">
          {used === null ? 'unknown for now' : text(used)} of {text(limit)}
        </span>
      </div>
      <UseBar label={`Used: ${label}`} percent={limit === 0 ? 100 : Math.round((100 * (used ?? 0)) / limit)} />
    </li>
  );
}
