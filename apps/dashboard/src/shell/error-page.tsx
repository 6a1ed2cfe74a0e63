import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { buttonClass } from '../components/button.js';
import { Empty, ErrorNote } from '../components/feedback.js';
import { useTitle } from '../components/page.js';

export function ErrorPage({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="mx-auto max-w-2xl px-4 py-16">
      <h1 className="sr-only">Something went wrong</h1>
      <ErrorNote error={error} title="This page cannot be shown" onRetry={() => void router.invalidate()} />
    </main>
  );
}

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <main>
      <h1 className="sr-only">Not found</h1>
      <Empty
        icon="search"
        title="There is no such page"
        action={
          <Link to="/agents" className={buttonClass('primary')}>
            To the agents
          </Link>
        }
      >
        The address may be mistyped, or of a newer version of Roost.
      </Empty>
    </main>
  );
}
