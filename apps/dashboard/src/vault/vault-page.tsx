import type { VaultSecret } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { agentsQuery } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { buttonClass } from '../components/button.js';
import { Confirm } from '../components/dialog.js';
import { Badge, Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Menu } from '../components/menu.js';
import { Page } from '../components/page.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { SettingsTabs } from '../settings/settings-tabs.js';
import { SecretDialog } from './secret-dialog.js';
import { KINDS, secretsQuery, vaultKey } from './vault.js';

const route = getRouteApi('/app/settings/vault');

/** Secrets that agents use and never see. */
export function VaultPage() {
  const { edit } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: secrets, error, refetch } = useQuery(secretsQuery);
  const edited = secrets?.find(({ id }) => id === edit);
  return (
    <Page
      title="Settings"
      tabTitle="Vault"
      about="Keys that agents use and never see: a sandbox has a placeholder, which is replaced on the way out, for the hosts of the secret alone."
      actions={secrets && secrets.length > 0 && <NewLink />}
    >
      <SettingsTabs />
      {error && !secrets && (
        <ErrorNote error={error} title="The secrets cannot be listed" onRetry={() => void refetch()} />
      )}
      {!secrets && !error && <Skeletons count={3} className="h-20" />}
      {secrets?.length === 0 && <NoSecrets />}
      {secrets && secrets.length > 0 && (
        <ul aria-label="Secrets" className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {secrets.map((secret) => (
            <SecretRow key={secret.id} secret={secret} />
          ))}
        </ul>
      )}
      {secrets && (edit === 'new' || edited) && (
        <SecretDialog key={edit} secret={edited} onClose={() => void navigate({ search: {}, replace: true })} />
      )}
    </Page>
  );
}

const NewLink = () => (
  <Link to="/settings/vault" search={{ edit: 'new' }} className={buttonClass('primary')}>
    <Icon name="plus" />
    New secret
  </Link>
);

const NoSecrets = () => (
  <Empty
    icon="shield"
    title="No key needs to lie in a sandbox"
    action={<NewLink />}
    code={`await roost.vault.create({ name: 'github', hosts: ['api.github.com'], credential: { kind: 'bearer', token } });`}
    cli="roost vault set github --host api.github.com < token.txt"
  >
    Put a secret in with the hosts that it is for, then let agents use it on their screen “Secrets”.
  </Empty>
);

function SecretRow({ secret }: { secret: VaultSecret }) {
  const { data: agents } = useQuery(agentsQuery);
  const { name, kind, hosts, grant_count: grants, last_used_at: usedAt, last_used_by: usedBy } = secret;
  const agent = agents?.find(({ id }) => id === usedBy);
  return (
    <li className="flex items-center gap-3 py-4 pr-3 pl-5">
      <div className="min-w-0 grow space-y-1">
        <h2 className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-medium wrap-anywhere">
          {name}
          <Badge>{KINDS[kind].label}</Badge>
        </h2>
        <p className="font-mono text-xs wrap-anywhere text-soft">{hosts.join(', ')}</p>
        <p className="text-xs text-soft">
          {grants === 1 ? '1 agent' : `${grants} agents`} ·{' '}
          {usedAt === null ? (
            'never used'
          ) : (
            <>
              last used <Time at={usedAt} />
              {usedBy !== null && ` by ${visibleText(agent?.name ?? usedBy)}`}
            </>
          )}{' '}
          · value set <Time at={secret.rotated_at} />
        </p>
      </div>
      <SecretMenu secret={secret} />
    </li>
  );
}

function SecretMenu({ secret: { id, name } }: { secret: VaultSecret }) {
  const [isAsked, setAsked] = useState(false);
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => roost.vault.delete(id),
    onSuccess: () => {
      toast('The secret is deleted.');
      setAsked(false);
      return client.invalidateQueries({ queryKey: vaultKey });
    },
    onError: toastError,
  });
  return (
    <>
      <Menu
        label={`Actions for ${name}`}
        items={[
          { label: 'Edit or rotate', icon: 'pencil', onSelect: () => void navigate({ search: { edit: id } }) },
          { label: 'Delete …', icon: 'trash-2', isDangerous: true, onSelect: () => setAsked(true) },
        ]}
      />
      <Confirm
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        onConfirm={() => remove.mutate()}
        title={`Delete ${name}?`}
        action="Delete it"
        isBusy={remove.isPending}
      >
        Agents that use it get no answer from its hosts any more. It cannot be brought back.
      </Confirm>
    </>
  );
}
