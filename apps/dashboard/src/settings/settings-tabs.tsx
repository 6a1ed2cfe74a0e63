import { PageTabs } from '../components/page-tabs.js';

const TABS = [
  { to: '/settings', label: 'API keys' },
  { to: '/settings/provider-keys', label: 'Provider keys' },
  { to: '/settings/vault', label: 'Vault' },
  { to: '/settings/quotas', label: 'Quotas' },
  { to: '/settings/profile', label: 'Profile' },
] as const;

export const SettingsTabs = () => <PageTabs label="Settings" tabs={TABS} />;
