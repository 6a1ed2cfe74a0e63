import type { WebhookEndpoint } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { roost } from '../api/roost.js';
import { agentsQuery } from '../agents/agents.js';
import { BackLink } from '../components/back-link.js';
import { Button } from '../components/button.js';
import { Facts } from '../components/facts.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { Page, Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { Deliveries } from './deliveries.js';
import { EndpointBadge } from './endpoint-badge.js';
import { EndpointMenu } from './endpoint-menu.js';
import { deliveriesKey, endpointQuery, useEndpointAction } from './webhooks.js';

const route = getRouteApi('/app/webhooks/$endpointId');

/** One endpoint: what is sent to it, and what became of that. */
export function EndpointPage() {
  const { endpointId } = route.useParams();
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const { data: endpoint, error, refetch } = useQuery(endpointQuery(endpointId));
  return (
    <Page
      title="Endpoint"
      about={
        endpoint && (
          <>
            <span className="font-mono wrap-anywhere">{visibleText(endpoint.url)}</span>{' '}
            <EndpointBadge endpoint={endpoint} />
          </>
        )
      }
      back={<BackLink to="/webhooks">Webhooks</BackLink>}
      actions={endpoint && <Actions endpoint={endpoint} />}
    >
      {error && !endpoint && (
        <ErrorNote error={error} title="This endpoint cannot be shown" onRetry={() => void refetch()} />
      )}
      {!endpoint && !error && <Skeletons count={2} className="h-48" />}
      {endpoint && (
        <div className="space-y-5">
          <Section title="Settings">
            <Settings endpoint={endpoint} />
          </Section>
          <Section title="Deliveries">
            <Deliveries
              endpointId={endpointId}
              filter={filter}
              onFilter={(search) => void navigate({ search, replace: true })}
            />
          </Section>
        </div>
      )}
    </Page>
  );
}

function Actions({ endpoint }: { endpoint: WebhookEndpoint }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const change = useEndpointAction();
  const test = useMutation({
    mutationFn: () => roost.webhooks.endpoints.test(endpoint.id),
    onSuccess: ({ id }) => {
      toast('A test is sent.');
      void client.invalidateQueries({ queryKey: deliveriesKey });
      void navigate({ to: '/webhooks/deliveries/$deliveryId', params: { deliveryId: id } });
    },
    onError: toastError,
  });
  return (
    <>
      {endpoint.source === 'account' && (
        <Button
          icon={endpoint.enabled ? 'pause' : 'play'}
          onClick={() => change.mutate({ endpoint, enabled: !endpoint.enabled })}
        >
          {endpoint.enabled ? 'Disable' : 'Enable'}
        </Button>
      )}
      <Button kind="primary" icon="send" isBusy={test.isPending} onClick={() => test.mutate()}>
        Send a test
      </Button>
      <EndpointMenu endpoint={endpoint} />
    </>
  );
}

function Settings({ endpoint }: { endpoint: WebhookEndpoint }) {
  const { description, events, agent_ids: agentIds, created_at: at } = endpoint;
  const { data: agents = [] } = useQuery(agentsQuery);
  const nameOf = (id: string) => visibleText(agents.find((agent) => agent.id === id)?.name ?? id);
  return (
    <Facts
      facts={{
        Description: description && visibleText(description),
        Events: events.includes('*') ? 'All, those of later versions, too' : events.join(', '),
        'Of the agents': agentIds === null ? 'All' : agentIds.map(nameOf).join(', ') || 'None',
        Made: <Time at={at} />,
      }}
    />
  );
}
