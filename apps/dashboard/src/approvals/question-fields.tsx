import type { ApprovalAnswer } from '@roost-ai/sdk';
import { CheckField, SelectField, TextField } from '../components/field.js';
import { visibleText } from '../components/visible-text.js';
import type { Question } from './question-view.js';

type Schema = NonNullable<Question['schema']>;
type QuestionField = Schema['properties'][string];
/** As the fields hold them: a number is a text until it is sent. */
export type Values = Record<string, string | boolean | string[]>;

interface QuestionFieldsProps {
  schema: Schema;
  values: Values;
  errors: Record<string, string>;
  onChange: (values: Values) => void;
}

/** A form made from a JSON Schema. Its words are a model's or an MCP server's. */
export function QuestionFields({ schema, values, errors, onChange }: QuestionFieldsProps) {
  return (
    <div className="space-y-3">
      {Object.entries(schema.properties).map(([name, field]) => (
        <OneField
          key={name}
          field={field}
          label={`${visibleText(field.title ?? name)}${schema.required?.includes(name) ? '' : ' (optional)'}`}
          error={errors[name]}
          value={values[name]}
          onChange={(value) => onChange({ ...values, [name]: value })}
        />
      ))}
    </div>
  );
}

interface OneFieldProps {
  field: QuestionField;
  label: string;
  error: string | undefined;
  value: Values[string] | undefined;
  onChange: (value: Values[string]) => void;
}

function OneField({ field, label, error, value, onChange }: OneFieldProps) {
  const hint = field.description === undefined ? undefined : visibleText(field.description);
  const about = { label, hint, error };
  const options = optionsOf(field);
  if (field.type === 'boolean')
    return (
      <CheckField
        label={label}
        hint={hint}
        checked={value === true}
        onChange={({ target }) => onChange(target.checked)}
      />
    );
  if (field.type === 'array') {
    const chosen = Array.isArray(value) ? value : [];
    return (
      <fieldset className="space-y-1.5">
        <legend className="text-sm font-medium">{label}</legend>
        {options?.map((option) => (
          <CheckField
            key={option.value}
            label={visibleText(option.title)}
            checked={chosen.includes(option.value)}
            onChange={({ target }) =>
              onChange(target.checked ? [...chosen, option.value] : chosen.filter((other) => other !== option.value))
            }
          />
        ))}
        {hint && <p className="text-xs text-faint">{hint}</p>}
        {error && <p className="text-xs font-medium text-bad">{error}</p>}
      </fieldset>
    );
  }
  const text = typeof value === 'string' ? value : '';
  if (options)
    return (
      <SelectField {...about} value={text} onChange={({ target }) => onChange(target.value)}>
        <option value="">…</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {visibleText(option.title)}
          </option>
        ))}
      </SelectField>
    );
  return (
    <TextField
      {...about}
      type={inputType(field)}
      {...(field.type !== 'string' && { inputMode: 'decimal', step: field.type === 'integer' ? 1 : 'any' })}
      value={text}
      onChange={({ target }) => onChange(target.value)}
    />
  );
}

function inputType(field: QuestionField): string {
  if (field.type !== 'string') return 'number';
  return { email: 'email', uri: 'url', date: 'date', 'date-time': 'text' }[field.format ?? 'date-time'];
}

function optionsOf(field: QuestionField): { value: string; title: string }[] | undefined {
  const titled = (all: { const: string; title: string }[]) => all.map(({ const: value, title }) => ({ value, title }));
  if (field.type === 'string') {
    if (field.oneOf) return titled(field.oneOf);
    return field.enum?.map((value, index) => ({ value, title: field.enumNames?.[index] ?? value }));
  }
  if (field.type !== 'array') return undefined;
  const { items } = field;
  if ('enum' in items) return items.enum.map((value) => ({ value, title: value }));
  return titled('anyOf' in items ? items.anyOf : items.oneOf);
}

/** What a form begins with. */
export function firstValues(schema: Schema | undefined): Values {
  return Object.fromEntries(
    Object.entries(schema?.properties ?? {}).flatMap(([name, field]) => {
      if (field.default === undefined) return field.type === 'boolean' ? [[name, false]] : [];
      return [[name, typeof field.default === 'number' ? String(field.default) : field.default]];
    }),
  );
}

/** The answer: what is empty is left out, as of a field that need not be filled in. */
export function sentValues({ properties }: Schema, values: Values): NonNullable<ApprovalAnswer['answer']> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, field]) => {
      const value = values[name];
      if (value === undefined || value === '') return [];
      const isNumber = field.type === 'number' || field.type === 'integer';
      return [[name, isNumber ? Number(value) : value]];
    }),
  );
}
