import type { DeliveryQuery, WebhookDelivery } from '@roost-ai/sdk';
import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { roost } from '../api/roost.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { inputClass } from '../components/field.js';
import { ShowMore } from '../components/show-more.js';
import { Time } from '../components/time.js';
import { useListKeys } from '../components/use-list-keys.js';
import { useListing } from '../components/use-listing.js';
import { visibleText } from '../components/visible-text.js';
import { DeliveryBadge } from './delivery-badge.js';
import { DELIVERY_STATUSES } from './delivery-words.js';
import { EVENT_NAMES } from './webhook-events.js';
import { deliveriesKey, type DeliveryStatus } from './webhooks.js';

export interface DeliveryFilter {
  status?: DeliveryStatus;
  event?: string;
}

interface DeliveriesProps {
  endpointId?: string;
  filter: DeliveryFilter;
  onFilter: (filter: DeliveryFilter) => void;
  /** Where an endpoint is called; of deliveries of more than one. */
  urlOf?: (endpointId: string) => string | undefined;
}

const SOON_MS = 2_000;
const LATER_MS = 15_000;

/** What was sent, the newest first. */
export function Deliveries({ endpointId, filter, onFilter, urlOf }: DeliveriesProps) {
  const query: DeliveryQuery = { ...filter, ...(endpointId === undefined ? {} : { endpoint_id: endpointId }) };
  const rows = useRef<HTMLUListElement>(null);
  useListKeys(rows);
  const deliveries = useListing({
    key: [...deliveriesKey, 'list', query],
    list: (signal) => roost.webhooks.deliveries.list(query, { signal }),
    refetchMs: (found) => (found.some(({ status }) => status === 'pending') ? SOON_MS : LATER_MS),
  });
  const { items, error, reload } = deliveries;
  const isFiltered = filter.status !== undefined || filter.event !== undefined;
  return (
    <div className="space-y-3">
      <Filters filter={filter} onFilter={onFilter} />
      {error && !items && <ErrorNote error={error} title="The deliveries cannot be listed" onRetry={reload} />}
      {!items && !error && <Skeletons count={5} className="h-12" />}
      {items?.length === 0 && (
        <p className="py-8 text-center text-sm text-soft">
          {isFiltered ? 'None is like this.' : 'Nothing was sent yet. A test shows whether it arrives.'}
        </p>
      )}
      {items && items.length > 0 && (
        <ul ref={rows} aria-label="Deliveries" className="divide-y divide-line">
          {items.map((delivery) => (
            <Row key={delivery.id} delivery={delivery} url={urlOf?.(delivery.endpoint_id)} />
          ))}
        </ul>
      )}
      <ShowMore list={deliveries} />
    </div>
  );
}

function Filters({ filter, onFilter }: Pick<DeliveriesProps, 'filter' | 'onFilter'>) {
  const { status, event } = filter;
  const change = (next: { status: string | undefined; event: string | undefined }) =>
    onFilter({
      ...(next.status ? { status: next.status as DeliveryStatus } : {}),
      ...(next.event ? { event: next.event } : {}),
    });
  return (
    <div className="flex flex-wrap gap-2">
      <select
        aria-label="Status"
        value={status ?? ''}
        onChange={({ target }) => change({ status: target.value, event })}
        className={`${inputClass} min-w-32 flex-1 sm:max-w-56`}
      >
        <option value="">Every status</option>
        {Object.entries(DELIVERY_STATUSES).map(([value, { label }]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      <select
        aria-label="Event"
        value={event ?? ''}
        onChange={({ target }) => change({ status, event: target.value })}
        className={`${inputClass} min-w-32 flex-1 sm:max-w-56`}
      >
        <option value="">Every event</option>
        {['webhook.test', ...EVENT_NAMES].map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </div>
  );
}

function Row({ delivery, url }: { delivery: WebhookDelivery; url: string | undefined }) {
  const { id, event, created_at: at } = delivery;
  return (
    <li className="relative flex min-h-12 items-center gap-3 py-2 text-sm hover:bg-canvas sm:gap-4">
      <span className="shrink-0 sm:w-24">
        <DeliveryBadge delivery={delivery} />
      </span>
      <div className="min-w-0 grow">
        {/* The whole row leads there. */}
        <Link
          to="/webhooks/deliveries/$deliveryId"
          params={{ deliveryId: id }}
          data-row
          className="block truncate font-mono text-xs font-medium after:absolute after:inset-0"
        >
          {event}
        </Link>
        {url && <p className="truncate text-xs text-faint">{visibleText(url)}</p>}
      </div>
      <div className="shrink-0 text-right text-xs">
        <p className="text-soft tabular-nums">{triesOf(delivery)}</p>
        <Time at={at} className="relative text-faint" />
      </div>
    </li>
  );
}

function triesOf({ attempt_count: count, last_response_status: answer }: WebhookDelivery): string {
  if (count === 0) return 'not tried yet';
  return `${count === 1 ? '1 try' : `${count} tries`} · ${answer ?? 'no answer'}`;
}
