import type { WebhookEndpoint } from '@roost-ai/sdk';
import { Badge } from '../components/feedback.js';
import { relativeTime } from '../components/time.js';

/** How an endpoint is, where that is not as it should be. */
export function EndpointBadge({ endpoint }: { endpoint: WebhookEndpoint }) {
  const { source, enabled, disabled_reason: reason, failing_since: since } = endpoint;
  return (
    <>
      {source === 'agent' && <Badge title="It stands in the configuration of an agent">Of an agent</Badge>}
      {!enabled && reason === 'gone' && <Badge tone="bad">Disabled: it answered 410</Badge>}
      {!enabled && reason === 'failing' && <Badge tone="bad">Disabled: it failed for five days</Badge>}
      {!enabled && reason === null && <Badge tone="warn">Disabled</Badge>}
      {enabled && since !== null && <Badge tone="bad">Failing since {relativeTime(since)}</Badge>}
    </>
  );
}
