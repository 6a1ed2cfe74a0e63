import { useQuery } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { SelectField } from '../components/field.js';

interface ModelFieldProps {
  value: unknown;
  onChange: (model: string | undefined) => void;
  error: string | undefined;
}

/** What can be used with the keys that are set, and what is chosen although it cannot. */
export function ModelField({ value, onChange, error }: ModelFieldProps) {
  const { data } = useQuery({
    queryKey: ['models'],
    queryFn: ({ signal }) => roost.models({ signal }),
    staleTime: 60_000,
  });
  const models = data?.models ?? [];
  const normal = models.find((model) => model.is_default);
  const isUnlisted = typeof value === 'string' && !models.some(({ id }) => id === value);
  return (
    <SelectField
      label="Model"
      value={typeof value === 'string' ? value : ''}
      onChange={({ target }) => onChange(target.value || undefined)}
      error={error}
      hint={data?.notes[0]}
    >
      <option value="">{normal ? `Default: ${normal.name}` : 'Default'}</option>
      {isUnlisted && <option value={value}>{value}</option>}
      {models.map(({ id, name, provider }) => (
        <option key={id} value={id}>
          {name} ({provider})
        </option>
      ))}
    </SelectField>
  );
}
