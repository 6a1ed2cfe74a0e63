import type { WebhookDeliveryDetails } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { roost } from '../api/roost.js';
import { BackLink } from '../components/back-link.js';
import { Button } from '../components/button.js';
import { CodeBlock, CopyButton } from '../components/code.js';
import { Facts } from '../components/facts.js';
import { Badge, ErrorNote, Skeletons } from '../components/feedback.js';
import { Page, Section } from '../components/page.js';
import { Time, timeIn } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { DeliveryBadge } from './delivery-badge.js';
import { DELIVERY_STATUSES } from './delivery-words.js';
import { deliveriesKey, deliveryQuery, endpointQuery } from './webhooks.js';

const route = getRouteApi('/app/webhooks/deliveries/$deliveryId');

/** One delivery: what is sent, and what was answered to each try. */
export function DeliveryPage() {
  const { deliveryId } = route.useParams();
  const { data: delivery, error, refetch } = useQuery(deliveryQuery(deliveryId));
  return (
    <Page
      title={delivery?.event ?? 'Delivery'}
      about={
        delivery && (
          <>
            <DeliveryBadge delivery={delivery} /> {DELIVERY_STATUSES[delivery.status].about}.
          </>
        )
      }
      back={<BackLink to="/webhooks/deliveries">Deliveries</BackLink>}
      actions={delivery && <Resend deliveryId={deliveryId} />}
    >
      {error && !delivery && (
        <ErrorNote error={error} title="This delivery cannot be shown" onRetry={() => void refetch()} />
      )}
      {!delivery && !error && <Skeletons count={3} className="h-40" />}
      {delivery && <Details delivery={delivery} />}
    </Page>
  );
}

function Resend({ deliveryId }: { deliveryId: string }) {
  const client = useQueryClient();
  const resend = useMutation({
    mutationFn: () => roost.webhooks.deliveries.retry(deliveryId),
    onSuccess: () => toast('It is sent again.'),
    onError: toastError,
    onSettled: () => client.invalidateQueries({ queryKey: deliveriesKey }),
  });
  return (
    <Button kind="primary" icon="rotate-ccw" isBusy={resend.isPending} onClick={() => resend.mutate()}>
      Resend
    </Button>
  );
}

function Details({ delivery }: { delivery: WebhookDeliveryDetails }) {
  const { data: endpoint } = useQuery(endpointQuery(delivery.endpoint_id));
  const { agent_id: agentId, attempts, body } = delivery;
  return (
    <div className="space-y-5">
      <Section title="Delivery">
        <Facts
          facts={{
            Endpoint: (
              <Link
                to="/webhooks/$endpointId"
                params={{ endpointId: delivery.endpoint_id }}
                className="font-mono text-xs text-accent underline underline-offset-2"
              >
                {visibleText(endpoint?.url ?? delivery.endpoint_id)}
              </Link>
            ),
            Agent: agentId && (
              <Link
                to="/agents/$agentId"
                params={{ agentId }}
                className="font-mono text-xs text-accent underline underline-offset-2"
              >
                {agentId}
              </Link>
            ),
            'webhook-id': <code className="font-mono text-xs">{delivery.webhook_id}</code>,
            Planned: <Time at={delivery.created_at} />,
            'Next try': delivery.next_attempt_at && <Time at={delivery.next_attempt_at} />,
            Ended: delivery.finished_at && <Time at={delivery.finished_at} />,
          }}
        />
      </Section>
      <Section
        title="Request"
        about="A POST of this JSON, with webhook-id, webhook-timestamp and webhook-signature."
        actions={<CopyButton text={body} label="Copy the body" />}
      >
        <CodeBlock label="Body of the request" text={visibleText(indented(body))} />
      </Section>
      <Section title="Tries" about={attempts.length === 0 ? 'It was not tried yet.' : undefined}>
        <ol className="divide-y divide-line">
          {attempts.toReversed().map((attempt) => (
            <Attempt key={attempt.number} attempt={attempt} />
          ))}
        </ol>
      </Section>
    </div>
  );
}

function Attempt({ attempt }: { attempt: WebhookDeliveryDetails['attempts'][number] }) {
  const { number, started_at: at, duration_ms: ms, response_status: status, response_body: body, error } = attempt;
  return (
    <li className="space-y-2 py-3 text-sm first:pt-0 last:pb-0">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <span className="font-medium">Try {number}</span>
        <Badge tone={error === null ? 'ok' : 'bad'}>{status ?? 'No answer'}</Badge>
        <span className="text-xs text-faint tabular-nums">{ms.toLocaleString()} ms</span>
        <span className="text-xs text-faint tabular-nums">{timeIn(at)}</span>
        <Time at={at} className="text-xs text-faint" />
      </div>
      {error !== null && <p className="wrap-anywhere text-soft">{visibleText(error)}</p>}
      {body !== '' && <CodeBlock label={`What was answered to try ${number}`} text={visibleText(body)} />}
    </li>
  );
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    // Shown as it is.
    return json;
  }
}
