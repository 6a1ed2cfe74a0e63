import type { IconName } from '../components/icon-name.js';

/** What the sidebar and the palette lead to. A screen that is not there is not here. */
export const NAVIGATION: {
  to: `/${'agents' | 'approvals' | 'webhooks' | 'usage' | 'audit' | 'settings'}`;
  label: string;
  icon: IconName;
}[] = [
  { to: '/agents', label: 'Agents', icon: 'bot' },
  { to: '/approvals', label: 'Approvals', icon: 'inbox' },
  { to: '/webhooks', label: 'Webhooks', icon: 'webhook' },
  { to: '/usage', label: 'Usage', icon: 'chart-column' },
  { to: '/audit', label: 'Audit', icon: 'shield' },
  { to: '/settings', label: 'Settings', icon: 'settings' },
];
