import { SelectField, TextArea, TextField, Toggle } from '../components/field.js';
import { describedText, errorAt } from './field-texts.js';
import { JsonField } from './json-field.js';
import { type JsonSchema, kindOf, labelOf, textOf } from './json-schema.js';
import { MapField } from './map-field.js';
import { NumberField } from './number-field.js';

type Value = Record<string, unknown>;

interface SchemaFormProps {
  schema: JsonSchema;
  value: Value;
  onChange: (value: Value) => void;
  /** What the API found wrong, by the path of the field. */
  errors?: Record<string, string>;
  path?: string;
  /** Fields that are shown elsewhere. */
  without?: readonly string[];
}

/** Fields for whatever a schema has. One that is left empty is left out. */
export function SchemaForm({ schema, value, onChange, errors = {}, path = '', without = [] }: SchemaFormProps) {
  const set = (name: string, to: unknown) => {
    const { [name]: _, ...others } = value;
    onChange(to === undefined ? others : { ...others, [name]: to });
  };
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !without.includes(name))
    .map(([name, field]) => (
      <SchemaField
        key={name}
        name={name}
        schema={field}
        value={value[name]}
        onChange={(to) => set(name, to)}
        errors={errors}
        path={path ? `${path}.${name}` : name}
      />
    ));
}

interface SchemaFieldProps {
  name: string;
  schema: JsonSchema;
  value: unknown;
  onChange: (value: unknown) => void;
  errors: Record<string, string>;
  path: string;
}

function SchemaField({ name, schema, value, onChange, errors, path }: SchemaFieldProps) {
  const kind = kindOf(schema);
  const hint = describedText(schema.description);
  const about = { label: labelOf(name), hint, error: kind === 'object' ? errors[path] : errorAt(errors, path) };
  switch (kind) {
    case 'object':
      return (
        <fieldset className="space-y-4 rounded-xl border border-line px-4 pb-4">
          <legend className="px-1.5 text-sm font-semibold">{about.label}</legend>
          {hint && <p className="text-xs text-faint">{hint}</p>}
          {about.error && <p className="text-xs font-medium text-bad">{about.error}</p>}
          <SchemaForm
            schema={schema}
            value={(value ?? {}) as Value}
            onChange={(to) => onChange(Object.keys(to).length > 0 ? to : undefined)}
            errors={errors}
            path={path}
          />
        </fieldset>
      );
    case 'choice':
      return (
        <SelectField {...about} value={textOf(value)} onChange={({ target }) => onChange(target.value || undefined)}>
          <option value="">{defaultOf(schema)}</option>
          {schema.enum?.map((each) => (
            <option key={String(each)}>{String(each)}</option>
          ))}
        </SelectField>
      );
    case 'flag':
      return (
        <div className="flex items-center justify-between gap-4">
          <div>
            <p className="text-sm font-medium">{about.label}</p>
            <p className="text-xs text-faint">{about.hint}</p>
          </div>
          <Toggle label={about.label} isOn={(value ?? schema.default) === true} onChange={onChange} />
        </div>
      );
    case 'number':
      return (
        <NumberField
          {...about}
          name={name}
          min={schema.minimum}
          max={schema.maximum}
          placeholder={defaultOf(schema)}
          value={value}
          onChange={onChange}
        />
      );
    case 'text':
      return (
        <TextField
          {...about}
          value={textOf(value)}
          placeholder={defaultOf(schema)}
          onChange={({ target }) => onChange(target.value || undefined)}
        />
      );
    case 'long-text':
      return (
        <TextArea {...about} value={textOf(value)} onChange={({ target }) => onChange(target.value || undefined)} />
      );
    case 'list':
      return (
        <TextArea
          {...about}
          hint={<>{hint} One a line.</>}
          value={Array.isArray(value) ? value.join('\n') : ''}
          onChange={({ target }) => onChange(target.value === '' ? undefined : target.value.split('\n'))}
        />
      );
    case 'map':
      return <MapField {...about} value={value} onChange={onChange} />;
    case 'json':
      return <JsonField {...about} example={schema.examples?.[0]} value={value} onChange={onChange} />;
  }
}

const defaultOf = ({ default: value }: JsonSchema): string => {
  const text = textOf(value);
  return text === '' ? 'Default' : `Default: ${text}`;
};
