import type { Budget } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { agentsQuery } from '../agents/agents.js';
import { SelectField, TextField } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
import { toast } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { ZoneField } from '../schedules/zone-field.js';
import { type BudgetDraft, budgetsKey, draftOf, saveBudget } from './budgets.js';

/** Makes a budget, or changes the one that is given. */
export function BudgetDialog({ budget, onClose }: { budget: Budget | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(budget));
  const save = useMutation({
    mutationFn: () => saveBudget(draft, budget?.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: budgetsKey });
      toast(budget ? 'The budget is changed.' : 'The budget holds from now on.');
      onClose();
    },
  });
  return (
    <FormDialog
      onClose={onClose}
      title={budget ? 'Edit the budget' : 'New budget'}
      saving={save}
      onSubmit={save.mutate}
      action={budget ? 'Save' : 'Make the budget'}
      failure="The budget was not saved"
    >
      <BudgetFields
        draft={draft}
        set={(change) => setDraft({ ...draft, ...change })}
        isNew={!budget}
        errors={errorsByField(save.error)}
      />
    </FormDialog>
  );
}

interface BudgetFieldsProps {
  draft: BudgetDraft;
  set: (change: Partial<BudgetDraft>) => void;
  isNew: boolean;
  errors: Record<string, string>;
}

function BudgetFields({ draft, set, isNew, errors }: BudgetFieldsProps) {
  const { data: agents = [] } = useQuery(agentsQuery);
  const isMoney = draft.unit === 'usd';
  return (
    <>
      <SelectField
        label="Of"
        disabled={!isNew}
        value={draft.agentId}
        onChange={({ target }) => set({ agentId: target.value })}
        error={errors['agent_id']}
      >
        <option value="">All agents together</option>
        {agents.map(({ id, name }) => (
          <option key={id} value={id}>
            {visibleText(name)}
          </option>
        ))}
      </SelectField>
      <div className="grid gap-4 sm:grid-cols-3">
        <TextField
          label="At most"
          required
          inputMode="decimal"
          placeholder={isMoney ? '10.00' : '1000000'}
          value={draft.limit}
          onChange={({ target }) => set({ limit: target.value })}
          error={errors['limit_usd'] ?? errors['limit_tokens']}
        />
        <SelectField
          label="In"
          disabled={!isNew}
          value={draft.unit}
          onChange={({ target }) => set({ unit: target.value as BudgetDraft['unit'] })}
        >
          <option value="usd">US dollars</option>
          <option value="tokens">Tokens</option>
        </SelectField>
        <SelectField
          label="Per"
          value={draft.period}
          onChange={({ target }) => set({ period: target.value as BudgetDraft['period'] })}
          error={errors['period']}
        >
          <option value="day">Day</option>
          <option value="month">Month</option>
        </SelectField>
      </div>
      {isMoney && (
        <p className="text-xs text-soft">
          Under a budget in money a model whose price is not known does not run: its messages fail. Cap those in tokens.
        </p>
      )}
      <ZoneField value={draft.timezone} onChange={(timezone) => set({ timezone })} error={errors['timezone']} />
      <TextField
        label="Warn at (%)"
        type="number"
        min={1}
        max={100}
        required
        hint="The webhook event budget.threshold is sent then, once a period."
        value={draft.threshold}
        onChange={({ target }) => set({ threshold: target.value })}
        error={errors['threshold_percent']}
      />
    </>
  );
}
