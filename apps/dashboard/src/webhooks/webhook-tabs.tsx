import { Link } from '@tanstack/react-router';

const TABS = [
  { to: '/webhooks', label: 'Endpoints' },
  { to: '/webhooks/deliveries', label: 'Deliveries' },
] as const;

export function WebhookTabs() {
  return (
    <nav aria-label="Webhooks" className="-mt-2 mb-5 flex gap-1 border-b border-line">
      {TABS.map(({ to, label }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: true, includeSearch: false }}
          className="-mb-px flex min-h-10 items-center border-b-2 border-transparent px-2.5 text-sm text-soft hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-ink"
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
