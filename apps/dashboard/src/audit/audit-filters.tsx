import { useEffect, useId, useState } from 'react';
import { TextField } from '../components/field.js';
import { useSettled } from '../components/use-settled.js';
import { type AuditFilter, auditFilter } from './audit-filter.js';

/** The most common ones: any other is typed. */
const ACTIONS = [
  ...['agent.created', 'agent.updated', 'agent.rolled_back', 'agent.deleted', 'api_key.created', 'api_key.revoked'],
  ...['channel.linked', 'channel.unlinked', 'provider_key.set', 'provider_key.deleted', 'quota.set'],
  ...['schedule.created', 'schedule.updated', 'schedule.deleted', 'trigger.created', 'trigger.deleted'],
  ...['user.signed_in', 'user.signed_out', 'webhook_endpoint.created', 'webhook_endpoint.deleted'],
];
const ACTORS = ['user', 'api_key', 'person', 'agent', 'operator', 'system'];
const TYPED_MS = 400;

interface AuditFiltersProps {
  filter: AuditFilter;
  onChange: (filter: AuditFilter) => void;
}

/** What is typed is asked for once it has settled; a click on a record sets it, too. */
export function AuditFilters({ filter, onChange }: AuditFiltersProps) {
  const listId = useId();
  const key = JSON.stringify(filter);
  const [typed, setTyped] = useState(filter);
  const settled = JSON.stringify(auditFilter(useSettled(typed, TYPED_MS)));
  // By what they come to, so that neither follows its own change.
  useEffect(() => setTyped(JSON.parse(key) as AuditFilter), [key]);
  useEffect(() => {
    if (settled !== key) onChange(JSON.parse(settled) as AuditFilter);
  }, [settled]);
  const field = (name: keyof AuditFilter) => ({
    value: typed[name] ?? '',
    onChange: ({ target }: { target: { value: string } }) => setTyped({ ...typed, [name]: target.value }),
  });
  return (
    <div className="grid grid-cols-2 gap-3 pb-5 lg:grid-cols-5">
      <TextField label="Action" list={`${listId}-actions`} placeholder="agent.updated" {...field('action')} />
      <TextField label="Actor" list={`${listId}-actors`} placeholder="user, api_key:ID …" {...field('actor')} />
      <div className="col-span-2 lg:col-span-1">
        <TextField label="Target" placeholder="Its id" {...field('target')} />
      </div>
      <TextField label="From" type="date" {...field('from')} />
      <TextField label="To" type="date" {...field('to')} />
      <Choices id={`${listId}-actions`} of={ACTIONS} />
      <Choices id={`${listId}-actors`} of={ACTORS} />
    </div>
  );
}

const Choices = ({ id, of }: { id: string; of: string[] }) => (
  <datalist id={id}>
    {of.map((each) => (
      <option key={each} value={each} />
    ))}
  </datalist>
);
