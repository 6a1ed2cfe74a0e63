import type { Quota } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { TextField } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
import { Section } from '../components/page.js';
import { toast } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { QUOTA_LABELS, QuotaUse } from '../settings/quota-use.js';
import { accountQuotasQuery } from './admin.js';

/** What the account may have of each thing, each of which can be changed. */
export function AccountQuotas({ accountId }: { accountId: string }) {
  const { data: quotas, error, refetch } = useQuery(accountQuotasQuery(accountId));
  const [changed, setChanged] = useState<Quota>();
  return (
    <Section title="Quotas" about="A lower limit deletes nothing: over it, making more is refused.">
      {error && !quotas && <ErrorNote error={error} title="The quotas cannot be read" onRetry={() => void refetch()} />}
      {!quotas && !error && <Skeletons count={6} className="h-10" />}
      {quotas && (
        <ul aria-label="Quotas" className="grid gap-x-10 gap-y-4 sm:grid-cols-2">
          {quotas.map((quota) => (
            <QuotaUse
              key={quota.name}
              quota={quota}
              button={
                <Button onClick={() => setChanged(quota)} aria-label={`Change ${QUOTA_LABELS[quota.name]}`}>
                  Change
                </Button>
              }
            />
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
  return (
    <FormDialog
      onClose={onClose}
      title={QUOTA_LABELS[name]}
      saving={set}
      onSubmit={() => set.mutate(Number(text))}
      action="Set the limit"
      failure="The limit was not changed"
      also={
        <Button onClick={() => set.mutate(null)} disabled={set.isPending}>
          As for all accounts
        </Button>
      }
    >
      <TextField
        label="At most"
        type="number"
        min={0}
        step={1}
        required
        hint={name === 'stored_bytes' ? 'Bytes.' : undefined}
        value={text}
        onChange={({ target }) => setText(target.value)}
        error={errorsByField(set.error)['limit']}
      />
    </FormDialog>
  );
}
