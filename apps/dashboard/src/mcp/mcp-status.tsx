import type { McpServer } from '@roost-ai/sdk';
import { Badge } from '../components/feedback.js';

/** What a status is called, and what it means (docs/mcp.md). */
const STATUSES = {
  unknown: { label: 'Not tried', tone: 'neutral', about: 'Nobody has used it since it was added or changed' },
  connected: { label: 'Connected', tone: 'ok', about: 'It answered' },
  failed: { label: 'Failed', tone: 'bad', about: 'It could not be used' },
  needs_authorization: { label: 'Needs you', tone: 'warn', about: 'Only you can grant access' },
} as const;

export function McpBadge({ status }: { status: McpServer['status'] }) {
  const { label, tone, about } = STATUSES[status];
  return (
    <Badge tone={tone} title={about}>
      {label}
    </Badge>
  );
}

/** Where it runs: at an address, or as a program in each workspace. */
export const whereOf = ({ url, command, args }: McpServer): string => url ?? [command ?? '', ...args].join(' ');
