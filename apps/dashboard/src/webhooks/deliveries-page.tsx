import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Page } from '../components/page.js';
import { Deliveries } from './deliveries.js';
import { WebhookTabs } from './webhook-tabs.js';
import { endpointsQuery } from './webhooks.js';

const route = getRouteApi('/app/webhooks/deliveries');

export function DeliveriesPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const { data: endpoints } = useQuery(endpointsQuery);
  return (
    <Page title="Webhooks" tabTitle="Deliveries" about="What was sent to every endpoint, and what became of it.">
      <WebhookTabs />
      <div className="rounded-2xl border border-line bg-surface px-5 py-4">
        <Deliveries
          filter={filter}
          onFilter={(search) => void navigate({ search, replace: true })}
          urlOf={(endpointId) => endpoints?.find(({ id }) => id === endpointId)?.url}
        />
      </div>
    </Page>
  );
}
