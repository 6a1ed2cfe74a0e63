import type { ServiceHealth } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { Badge, ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { Facts } from '../components/facts.js';
import { Page } from '../components/page.js';
import { servicesQuery } from './admin.js';
import { AdminTabs } from './admin-tabs.js';

/** Whether every service behind the API can do its work. */
export function ServicesPage() {
  const { data: services, error, refetch } = useQuery(servicesQuery);
  return (
    <Page
      title="Admin"
      tabTitle="Services"
      about="Whether each service can do its work, asked every five seconds. One that does not answer is down."
    >
      <AdminTabs />
      {error && !services && (
        <ErrorNote error={error} title="The services cannot be asked" onRetry={() => void refetch()} />
      )}
      {!services && !error && <Skeletons count={6} className="h-[4.25rem]" />}
      {services && (
        <ul aria-label="Services" className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {services.map((service) => (
            <Row key={service.name} service={service} />
          ))}
        </ul>
      )}
      <SameBy means="SDK" code="console.table(await roost.admin.services());" />
    </Page>
  );
}

function Row({ service: { name, state, dependencies, details = {} } }: { service: ServiceHealth }) {
  const away = Object.entries(dependencies).filter(([, of]) => of === 'down');
  return (
    <li className="space-y-2 px-5 py-3">
      <p className="flex items-center gap-2.5">
        <span className="font-medium">{name}</span>
        <Badge tone={state === 'up' ? 'ok' : 'bad'}>{state === 'up' ? 'Up' : 'Down'}</Badge>
        <span className="text-sm text-soft">
          {state === 'down' && away.length === 0 && 'It does not answer.'}
          {away.length > 0 && `Without: ${away.map(([of]) => of).join(', ')}.`}
        </span>
      </p>
      {Object.keys(details).length > 0 && <Facts facts={details} />}
    </li>
  );
}
