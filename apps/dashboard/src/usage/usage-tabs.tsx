import { PageTabs } from '../components/page-tabs.js';

const TABS = [
  { to: '/usage', label: 'Used' },
  { to: '/usage/budgets', label: 'Budgets' },
] as const;

export const UsageTabs = () => <PageTabs label="Usage" tabs={TABS} />;
