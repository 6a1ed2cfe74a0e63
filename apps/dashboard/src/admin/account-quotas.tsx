import type { Quota } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { Dialog } from '../components/dialog.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import { toast } from '../components/toasts.js';
import { UseBar } from '../components/use-bar.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { QUOTA_LABELS, quotaPercent, quotaText } from '../settings/quota-amounts.js';
import { accountQuotasQuery } from './admin.js';

/** What the account may have of each thing, each of which can be changed. */
export function AccountQuotas({ accountId }: { accountId: string }) {
  const { data: quotas, error, refetch } = useQuery(accountQuotasQuery(accountId));
  const [changed, setChanged] = useState<Quota>();
  return (
    <Section title="Quotas" about="What it has over a new limit stays; it can make no more of it.">
      {error && !quotas && <ErrorNote error={error} title="The quotas cannot be read" onRetry={() => void refetch()} />}
      {!quotas && !error && <Skeletons count={6} className="h-10" />}
      {quotas && (
        <ul aria-label="Quotas" className="grid gap-x-10 gap-y-4 sm:grid-cols-2">
          {quotas.map((quota) => (
            <li key={quota.name} className="flex items-end gap-3">
              <div className="min-w-0 grow space-y-1.5 pb-1.5">
                <div className="flex items-baseline justify-between gap-4 text-sm">
                  <span className="font-medium">{QUOTA_LABELS[quota.name]}</span>
                  <span className="text-soft tabular-nums">{quotaText(quota)}</span>
                </div>
                <UseBar label={`Used: ${QUOTA_LABELS[quota.name]}`} percent={quotaPercent(quota)} />
              </div>
              <Button onClick={() => setChanged(quota)} aria-label={`Change ${QUOTA_LABELS[quota.name]}`}>
                Change
              </Button>
            </li>
          ))}
        </ul>
      )}
      {changed && <ChangeLimit accountId={accountId} quota={changed} onClose={() => setChanged(undefined)} />}
    </Section>
  );
}

interface ChangeLimitProps {
  accountId: string;
  quota: Quota;
  onClose: () => void;
}

function ChangeLimit({ accountId, quota: { name, limit }, onClose }: ChangeLimitProps) {
  const formId = useId();
  const [text, setText] = useState(String(limit));
  const client = useQueryClient();
  const set = useMutation({
    mutationFn: (to: number | null) => roost.admin.accounts.setQuota(accountId, { quota: name, limit: to }),
    onSuccess: (quotas) => {
      client.setQueryData(accountQuotasQuery(accountId).queryKey, quotas);
      toast(`${QUOTA_LABELS[name]}: the limit is changed.`);
      onClose();
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    set.mutate(Number(text));
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={QUOTA_LABELS[name]}
      actions={
        <>
          <Button onClick={() => set.mutate(null)} disabled={set.isPending}>
            As for all accounts
          </Button>
          <Button type="submit" form={formId} kind="primary" isBusy={set.isPending}>
            Set the limit
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={onSubmit} className="space-y-4">
        <TextField
          label="At most"
          type="number"
          min={0}
          step={1}
          required
          autoFocus
          hint={name === 'stored_bytes' ? 'Bytes.' : undefined}
          value={text}
          onChange={({ target }) => setText(target.value)}
          error={errorsByField(set.error)['limit']}
        />
        {set.error && <ErrorNote error={set.error} title="The limit was not changed" />}
      </form>
    </Dialog>
  );
}
