import { PageTabs } from '../components/page-tabs.js';

const TABS = [
  { to: '/admin', label: 'Accounts' },
  { to: '/admin/services', label: 'Services' },
] as const;

export const AdminTabs = () => <PageTabs label="Admin" tabs={TABS} />;
