import type { WebhookDelivery } from '@roost-ai/sdk';
import { Badge } from '../components/feedback.js';
import { DELIVERY_STATUSES } from './delivery-words.js';

type Shown = Pick<WebhookDelivery, 'status' | 'attempt_count'>;

/** What became of a delivery so far. One that waits after a failure is not like one that was not tried. */
export function DeliveryBadge({ delivery: { status, attempt_count: attempts } }: { delivery: Shown }) {
  const { label, tone, about } = DELIVERY_STATUSES[status];
  return (
    <Badge tone={status === 'pending' && attempts > 0 ? 'warn' : tone} title={about}>
      {label}
    </Badge>
  );
}
