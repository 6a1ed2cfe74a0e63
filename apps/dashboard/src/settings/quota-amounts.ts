import type { Quota } from '@roost-ai/sdk';
import { bytesText } from '../components/amounts.js';

export const QUOTA_LABELS: Record<Quota['name'], string> = {
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

/** `2 of 200`, `1.4 GiB of 200 GiB`. */
export function quotaText({ name, limit, used }: Quota): string {
  const text = (amount: number) => (name === 'stored_bytes' ? bytesText(amount) : amount.toLocaleString('en'));
  return `${used === null ? 'unknown for now' : text(used)} of ${text(limit)}`;
}

export const quotaPercent = ({ limit, used }: Quota): number =>
  limit === 0 ? 100 : Math.round((100 * (used ?? 0)) / limit);
