import type { Quota } from '@roost-ai/sdk';
import type { ReactNode } from 'react';
import { bytesText } from '../components/amounts.js';
import { UseBar } from '../components/use-bar.js';

export const QUOTA_LABELS: Record<Quota['name'], string> = {
  agents: 'Agents',
  stored_bytes: 'Stored files',
  messages_waiting: 'Waiting messages',
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

/** A row of a list: how much of a quota is used. */
export function QuotaUse({ quota, button }: { quota: Quota; button?: ReactNode }) {
  const { name, limit, used } = quota;
  const label = QUOTA_LABELS[name];
  return (
    <li className="flex items-center gap-3">
      <div className="min-w-0 grow space-y-1.5">
        <div className="flex flex-wrap items-baseline justify-between gap-x-4 text-sm">
          <span className="font-medium">{label}</span>
          <span className="whitespace-nowrap text-soft tabular-nums">{textOf(quota)}</span>
        </div>
        <UseBar label={`Used: ${label}`} percent={limit === 0 ? 100 : Math.round((100 * (used ?? 0)) / limit)} />
      </div>
      {button}
    </li>
  );
}

/** `2 of 200`, `1.4 GiB of 200 GiB`. */
function textOf({ name, limit, used }: Quota): string {
  const text = (amount: number) => (name === 'stored_bytes' ? bytesText(amount) : amount.toLocaleString('en'));
  return `${used === null ? 'unknown for now' : text(used)} of ${text(limit)}`;
}
