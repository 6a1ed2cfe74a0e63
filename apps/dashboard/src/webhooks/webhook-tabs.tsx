import { PageTabs } from '../components/page-tabs.js';

const TABS = [
  { to: '/webhooks', label: 'Endpoints' },
  { to: '/webhooks/deliveries', label: 'Deliveries' },
] as const;

export const WebhookTabs = () => <PageTabs label="Webhooks" tabs={TABS} />;
