import type { WebhookEndpoint } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { buttonClass } from '../components/button.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Toggle } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { Page } from '../components/page.js';
import { useListKeys } from '../components/use-list-keys.js';
import { visibleText } from '../components/visible-text.js';
import { EndpointBadge } from './endpoint-badge.js';
import { WebhookTabs } from './webhook-tabs.js';
import { endpointsQuery, useEndpointAction } from './webhooks.js';

export function WebhooksPage() {
  const { data: endpoints, error, refetch } = useQuery(endpointsQuery);
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  return (
    <Page
      title="Webhooks"
      about="Roost posts what happens to addresses of yours: signed, tried again, with a history."
      actions={endpoints && endpoints.length > 0 && <NewLink />}
    >
      <WebhookTabs />
      {error && !endpoints && (
        <ErrorNote error={error} title="The endpoints cannot be listed" onRetry={() => void refetch()} />
      )}
      {!endpoints && !error && <Skeletons count={4} className="h-[4.5rem]" />}
      {endpoints?.length === 0 && (
        <Empty
          icon="webhook"
          title="Let your systems know"
          action={<NewLink />}
          code={`const { secret } = await roost.webhooks.endpoints.create({\n  url: 'https://example.org/roost',\n  events: ['message.completed', 'agent.error'],\n});`}
          cli="roost webhooks create https://example.org/roost --events message.completed,agent.error"
        >
          An endpoint gets an HTTP request when a message is answered, an agent needs somebody, a schedule was missed …
          On this machine, <code className="font-mono text-sm">roost webhooks listen</code> shows them as they come.
        </Empty>
      )}
      {endpoints && endpoints.length > 0 && (
        <ul
          ref={list}
          aria-label="Endpoints"
          className="divide-y divide-line rounded-2xl border border-line bg-surface"
        >
          {endpoints.map((endpoint) => (
            <Row key={endpoint.id} endpoint={endpoint} />
          ))}
        </ul>
      )}
    </Page>
  );
}

const NewLink = () => (
  <Link to="/webhooks/new" className={buttonClass('primary')}>
    <Icon name="plus" />
    New endpoint
  </Link>
);

function Row({ endpoint }: { endpoint: WebhookEndpoint }) {
  const { id, url, description, events, source, enabled } = endpoint;
  const change = useEndpointAction();
  return (
    <li className="relative flex items-center gap-3 py-3 pr-4 pl-4 first:rounded-t-2xl last:rounded-b-2xl hover:bg-canvas sm:gap-4 sm:pl-5">
      <div className="min-w-0 grow">
        <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          {/* The whole row leads there. */}
          <Link
            to="/webhooks/$endpointId"
            params={{ endpointId: id }}
            data-row
            className="truncate font-mono text-sm font-medium after:absolute after:inset-0"
          >
            {visibleText(url)}
          </Link>
          <EndpointBadge endpoint={endpoint} />
        </div>
        <p className="truncate text-sm text-soft">
          {description ? `${visibleText(description)} · ` : ''}
          {events.includes('*') ? 'All events' : events.join(', ')}
        </p>
      </div>
      {source === 'account' && (
        <div className="relative">
          <Toggle
            label={`Events are sent to ${url}`}
            isOn={enabled}
            onChange={(isOn) => change.mutate({ endpoint, enabled: isOn })}
          />
        </div>
      )}
    </li>
  );
}
