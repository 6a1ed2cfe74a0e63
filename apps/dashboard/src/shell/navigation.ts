import { useQuery } from '@tanstack/react-query';
import type { IconName } from '../components/icon-name.js';
import { sessionQuery } from '../session/session.js';

interface Destination {
  to: `/${'agents' | 'approvals' | 'webhooks' | 'usage' | 'audit' | 'settings' | 'admin'}`;
  label: string;
  icon: IconName;
}

const FOR_ALL: Destination[] = [
  { to: '/agents', label: 'Agents', icon: 'bot' },
  { to: '/approvals', label: 'Approvals', icon: 'inbox' },
  { to: '/webhooks', label: 'Webhooks', icon: 'webhook' },
  { to: '/usage', label: 'Usage', icon: 'chart-column' },
  { to: '/audit', label: 'Audit', icon: 'shield' },
  { to: '/settings', label: 'Settings', icon: 'settings' },
];
const FOR_OPERATORS: Destination[] = [...FOR_ALL, { to: '/admin', label: 'Admin', icon: 'wrench' }];

/** What the sidebar and the palette lead to. A screen that is not there is not here. */
export function useNavigation(): Destination[] {
  return useQuery(sessionQuery).data?.is_operator ? FOR_OPERATORS : FOR_ALL;
}
