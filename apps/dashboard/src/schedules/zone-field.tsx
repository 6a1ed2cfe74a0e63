import { useId } from 'react';
import { TextField } from '../components/field.js';

const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone')];

interface ZoneFieldProps {
  value: string;
  onChange: (zone: string) => void;
  error: string | undefined;
}

/** A time zone by its IANA name, which is found by a few letters. */
export function ZoneField({ value, onChange, error }: ZoneFieldProps) {
  const listId = useId();
  return (
    <div>
      <TextField
        label="Time zone"
        required
        list={listId}
        value={value}
        onChange={({ target }) => onChange(target.value)}
        error={error}
      />
      <datalist id={listId}>
        {ZONES.map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </div>
  );
}
