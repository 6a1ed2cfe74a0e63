import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { SelectField, TextField } from '../components/field.js';
import { FormDialog } from '../components/form-dialog.js';
import { localInput } from '../components/time.js';
import { toast } from '../components/toasts.js';
import { DELIVERY_STATUSES } from './delivery-words.js';
import { deliveriesKey, type DeliveryStatus } from './webhooks.js';

const DAY_MS = 86_400_000;

interface ReplayDialogProps {
  endpointId: string;
  isOpen: boolean;
  onClose: () => void;
}

/** Sends again what was planned since a time: after a receiver was down, say. */
export function ReplayDialog({ endpointId, isOpen, onClose }: ReplayDialogProps) {
  const client = useQueryClient();
  const [since, setSince] = useState(() => localInput(Date.now() - DAY_MS));
  const [status, setStatus] = useState<DeliveryStatus | ''>('dead');
  const replay = useMutation({
    mutationFn: () =>
      roost.webhooks.endpoints.replay(endpointId, {
        since: new Date(since).toISOString(),
        ...(status ? { status } : {}),
      }),
    onSuccess: ({ replayed }) => {
      toast(replayed === 1 ? '1 delivery is sent again.' : `${replayed.toLocaleString()} deliveries are sent again.`);
      void client.invalidateQueries({ queryKey: deliveriesKey });
      onClose();
    },
  });
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title="Send again"
      saving={replay}
      onSubmit={replay.mutate}
      action="Send again"
      failure="Nothing was sent again"
    >
      <TextField
        label="What was planned since"
        type="datetime-local"
        required
        value={since}
        onChange={({ target }) => setSince(target.value)}
      />
      <SelectField
        label="Which of it"
        hint="At most 10,000. A receiver knows what it has seen by webhook-id, which stays the same."
        value={status}
        onChange={({ target }) => setStatus(target.value as DeliveryStatus | '')}
      >
        <option value="">All of it</option>
        {Object.entries(DELIVERY_STATUSES).map(([value, { label }]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </SelectField>
    </FormDialog>
  );
}
