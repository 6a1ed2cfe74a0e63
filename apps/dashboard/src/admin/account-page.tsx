import { type AdminAccount, NotFoundError } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { BackLink } from '../components/back-link.js';
import { Button } from '../components/button.js';
import { Confirm } from '../components/dialog.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Facts } from '../components/facts.js';
import { Toggle } from '../components/field.js';
import { Page, Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { sessionQuery } from '../session/session.js';
import { AccountQuotas } from './account-quotas.js';
import { accountQuery, accountsKey, accountTitle } from './admin.js';

const route = getRouteApi('/app/admin/accounts/$accountId');

/** One account: whether it may have agents, and how much of each thing. */
export function AccountPage() {
  const { accountId } = route.useParams();
  const { data: account, error, refetch } = useQuery(accountQuery(accountId));
  if (error instanceof NotFoundError)
    return (
      <Page title="No such account" back={<BackLink to="/admin">Accounts</BackLink>}>
        <Empty icon="user" title="There is no such account">
          It was deleted.
        </Empty>
      </Page>
    );
  return (
    <Page
      title={account ? visibleText(accountTitle(account)) : 'Account'}
      back={<BackLink to="/admin">Accounts</BackLink>}
    >
      {error && !account && (
        <ErrorNote error={error} title="The account cannot be shown" onRetry={() => void refetch()} />
      )}
      {!account && !error && <Skeletons count={2} className="h-40" />}
      {account && (
        <div className="space-y-5">
          <About account={account} />
          <AccountQuotas accountId={accountId} />
          <Deletion account={account} />
        </div>
      )}
    </Page>
  );
}

function useIsOwn(accountId: string): boolean {
  return useQuery(sessionQuery).data?.account_id === accountId;
}

function About({ account }: { account: AdminAccount }) {
  const { account_id: accountId, agents_enabled: isEnabled } = account;
  const isOwn = useIsOwn(accountId);
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (enabled: boolean) => roost.admin.accounts.update(accountId, { agents_enabled: enabled }),
    onSuccess: (changed) => {
      client.setQueryData(accountQuery(accountId).queryKey, changed);
      toast(changed.agents_enabled ? 'It may have agents now.' : 'Its agents cannot be reached now.');
    },
    onError: toastError,
    onSettled: () => client.invalidateQueries({ queryKey: [...accountsKey, 'list'] }),
  });
  return (
    <Section
      title="About it"
      actions={
        <span className="flex items-center gap-2.5 text-sm">
          May have agents
          <Toggle
            label="May have agents"
            isOn={isEnabled}
            disabled={change.isPending || isOwn}
            onChange={(enabled) => change.mutate(enabled)}
          />
        </span>
      }
    >
      <Facts
        facts={{
          Account: <span className="font-mono text-xs">{accountId}</span>,
          Made: <Time at={account.created_at} />,
          'API keys': account.key_count,
          Operator: account.is_operator ? 'Sees and changes all accounts' : undefined,
          You: isOwn ? 'This is your own account: agents stay enabled, and it cannot be deleted here' : undefined,
        }}
      />
    </Section>
  );
}

function Deletion({ account }: { account: AdminAccount }) {
  const { account_id: accountId } = account;
  const [isAsked, setAsked] = useState(false);
  const navigate = useNavigate();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => roost.admin.accounts.delete(accountId),
    onSuccess: async () => {
      toast(`${accountTitle(account)} is deleted.`);
      await navigate({ to: '/admin' });
      client.removeQueries({ queryKey: accountQuery(accountId).queryKey });
      await client.invalidateQueries({ queryKey: accountsKey });
    },
    onError: (error) => {
      toastError(error);
      setAsked(false);
    },
  });
  if (useIsOwn(accountId)) return null;
  return (
    <Section
      title="Delete it"
      about="With everything that it owns, permanently."
      actions={<Button onClick={() => setAsked(true)}>Delete …</Button>}
    >
      <Confirm
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        onConfirm={() => remove.mutate()}
        title={`Delete ${accountTitle(account)}?`}
        action="Delete permanently"
        isBusy={remove.isPending}
      >
        Its agents, their files and conversations, its keys and users go with it. This cannot be undone.
      </Confirm>
    </Section>
  );
}
