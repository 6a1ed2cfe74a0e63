import type { AdminAccount } from '@roost-ai/sdk';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { roost } from '../api/roost.js';
import { buttonClass } from '../components/button.js';
import { Badge, Empty, ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { inputClass } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { Page } from '../components/page.js';
import { ShowMore } from '../components/show-more.js';
import { Time } from '../components/time.js';
import { useListing } from '../components/use-listing.js';
import { useListKeys } from '../components/use-list-keys.js';
import { visibleText } from '../components/visible-text.js';
import { accountsKey, accountTitle } from './admin.js';
import { AdminTabs } from './admin-tabs.js';
import { NewAccount } from './new-account.js';

const route = getRouteApi('/app/admin');
const LOOK_AGAIN_MS = 30_000;

/** Everybody who uses this Roost. */
export function AccountsPage() {
  const { q = '', new: isNew } = route.useSearch();
  const navigate = route.useNavigate();
  const accounts = useListing({
    key: [...accountsKey, 'list', q],
    list: (signal) => roost.admin.accounts.list({ search: q }, { signal }),
    refetchMs: () => LOOK_AGAIN_MS,
  });
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  const { items, error, reload } = accounts;
  return (
    <Page
      title="Admin"
      tabTitle="Accounts"
      about="Everybody who uses this Roost. Only operators see this."
      actions={
        <Link to="/admin" search={{ ...(q ? { q } : {}), new: true }} className={buttonClass('primary')}>
          <Icon name="plus" />
          New account
        </Link>
      }
    >
      <AdminTabs />
      <label className="relative block pb-4">
        <span className="sr-only">Search accounts</span>
        <Icon name="search" className="absolute top-2.5 left-3 text-faint" />
        <input
          type="search"
          value={q}
          placeholder="Search by email or name"
          onChange={({ target }) => void navigate({ search: target.value ? { q: target.value } : {}, replace: true })}
          className={`${inputClass} pl-9`}
        />
      </label>
      {error !== null && !items && <ErrorNote error={error} title="The accounts cannot be listed" onRetry={reload} />}
      {!items && !error && <Skeletons count={4} className="h-[4.25rem]" />}
      {items && items.length > 0 && (
        <ul ref={list} aria-label="Accounts" className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {items.map((account) => (
            <Row key={account.account_id} account={account} />
          ))}
        </ul>
      )}
      <ShowMore list={accounts} />
      {items?.length === 0 && (
        <Empty icon="user" title="No account matches">
          Clear the search to see all.
        </Empty>
      )}
      <SameBy means="CLI" code="npx roost admin account list" />
      <NewAccount isOpen={isNew === true} onClose={() => void navigate({ search: q ? { q } : {}, replace: true })} />
    </Page>
  );
}

function Row({ account }: { account: AdminAccount }) {
  const { account_id: accountId, agents_enabled: isEnabled, is_operator: isOperator, key_count: keys } = account;
  return (
    <li className="relative flex items-center gap-4 px-5 py-3 first:rounded-t-2xl last:rounded-b-2xl hover:bg-canvas has-focus-visible:bg-canvas">
      <div className="min-w-0 grow">
        <p className="flex flex-wrap items-center gap-x-2.5">
          <Link
            to="/admin/accounts/$accountId"
            params={{ accountId }}
            data-row
            className="font-medium wrap-anywhere after:absolute after:inset-0"
          >
            {visibleText(accountTitle(account))}
          </Link>
          {isOperator && <Badge tone="ok">Operator</Badge>}
          {!isEnabled && <Badge tone="warn">No agents</Badge>}
        </p>
        <p className="truncate font-mono text-xs text-faint">{accountId}</p>
      </div>
      <p className="shrink-0 text-right text-sm text-soft">
        {keys === 1 ? '1 key' : `${keys} keys`}
        <span className="block text-xs text-faint">
          made <Time at={account.created_at} className="relative" />
        </span>
      </p>
    </li>
  );
}
