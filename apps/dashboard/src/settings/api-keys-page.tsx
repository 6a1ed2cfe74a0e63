import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { Button, buttonClass } from '../components/button.js';
import { Confirm } from '../components/dialog.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Page } from '../components/page.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { type ApiKey, apiKeysQuery } from './keys.js';
import { NewApiKey } from './new-api-key.js';
import { SettingsTabs } from './settings-tabs.js';

const route = getRouteApi('/app/settings');

export function ApiKeysPage() {
  const { new: isNew } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: keys, error, refetch } = useQuery(apiKeysQuery);
  return (
    <Page
      title="Settings"
      tabTitle="API keys"
      about="A key is for a program: one for each, so that each can be revoked alone."
      actions={keys && keys.length > 0 && <NewLink />}
    >
      <SettingsTabs />
      {error && !keys && <ErrorNote error={error} title="The keys cannot be listed" onRetry={() => void refetch()} />}
      {!keys && !error && <Skeletons count={3} className="h-[4.25rem]" />}
      {keys?.length === 0 && <NoKeys />}
      {keys && keys.length > 0 && (
        <ul aria-label="API keys" className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {keys.map((key) => (
            <KeyRow key={key.id} apiKey={key} />
          ))}
        </ul>
      )}
      <NewApiKey isOpen={isNew === true} onClose={() => void navigate({ search: {}, replace: true })} />
    </Page>
  );
}

const NewLink = () => (
  <Link to="/settings" search={{ new: true }} className={buttonClass('primary')}>
    <Icon name="plus" />
    New key
  </Link>
);

const NoKeys = () => (
  <Empty
    icon="key"
    title="Let a program in"
    action={<NewLink />}
    code={`const { key } = await roost.account.keys.create({ name: 'ci' });\nconst ci = new Roost({ url: '${window.location.origin}', apiKey: key });`}
    cli={`roost login --url ${window.location.origin}`}
  >
    Programs, the SDK and the command line sign in by an API key. It is shown once, kept as a hash, and good until you
    revoke it.
  </Empty>
);

function KeyRow({ apiKey: { id, name, prefix, created_at: madeAt, last_used_at: usedAt } }: { apiKey: ApiKey }) {
  const [isAsked, setAsked] = useState(false);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => roost.account.keys.revoke(id),
    onSuccess: () => {
      client.setQueryData(apiKeysQuery.queryKey, (keys) => keys?.filter((key) => key.id !== id));
      toast(`${name} is revoked.`);
    },
    onError: (error) => {
      toastError(error);
      setAsked(false);
    },
  });
  return (
    <li className="flex items-center gap-4 py-3 pr-3 pl-5">
      <div className="min-w-0 grow">
        <h2 className="truncate font-medium">{visibleText(name)}</h2>
        <p className="text-xs text-soft">
          <code className="font-mono">{prefix}…</code> · made <Time at={madeAt} /> ·{' '}
          {usedAt === null ? (
            'never used'
          ) : (
            <>
              last used <Time at={usedAt} />
            </>
          )}
        </p>
      </div>
      <Button onClick={() => setAsked(true)} aria-label={`Revoke ${name}`}>
        Revoke
      </Button>
      <Confirm
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        onConfirm={() => revoke.mutate()}
        title={`Revoke ${visibleText(name)}?`}
        action="Revoke it"
        isBusy={revoke.isPending}
      >
        Whatever uses it is refused from the next request on, and its open streams end. Browsers that signed in by it
        are signed out, this one too if it did.
      </Confirm>
    </li>
  );
}
