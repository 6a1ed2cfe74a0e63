import type { Api } from '@roost-ai/sdk';
import { useRef, useState } from 'react';
import { Button } from '../components/button.js';
import { SelectField } from '../components/field.js';
import { Section } from '../components/page.js';
import { errorAt } from '../schema-form/field-texts.js';
import { NumberField } from '../schema-form/number-field.js';
import { ApproverFields } from './approver-fields.js';
import { RuleFields } from './rule-fields.js';

type Permissions = Api.Permissions;
const PATH = 'configuration.permissions';
/** The API takes no more. */
const MAX_RULES = 100;

interface PermissionFieldsProps {
  value: Permissions | undefined;
  onChange: (value: Permissions | undefined) => void;
  errors: Record<string, string>;
}

/** What an agent’s tools may do unasked: rules in their order, and what becomes of all else. */
export function PermissionFields({ value = {}, onChange, errors }: PermissionFieldsProps) {
  const { rules = [] } = value;
  // A rule keeps what is being typed in it when it is moved.
  const count = useRef(rules.length);
  const [keys, setKeys] = useState(() => rules.map((_, index) => index));
  const set = (change: { [K in keyof Permissions]?: Permissions[K] | undefined }) => {
    const kept = Object.entries({ ...value, ...change }).filter(([, each]) => each !== undefined);
    onChange(kept.length > 0 ? (Object.fromEntries(kept) as Permissions) : undefined);
  };
  const setRules = (next: Api.PermissionRule[], nextKeys = keys) => {
    setKeys(nextKeys);
    set({ rules: next.length > 0 ? next : undefined });
  };
  const move = (from: number, to: number) => setRules(moved(rules, from, to), moved(keys, from, to));
  const add = () => setRules([...rules, { tool: '', action: 'ask' }], [...keys, (count.current += 1)]);
  return (
    <Section
      title="Permissions"
      about="What it may do unasked. The first rule that matches a call decides; a call that is asked about waits until somebody has decided."
    >
      <div className="space-y-4">
        {errors[PATH] && <p className="text-sm font-medium text-bad">{errors[PATH]}</p>}
        {rules.length > 0 && (
          <ol aria-label="Rules" className="space-y-3">
            {rules.map((rule, index) => (
              <li key={keys[index] ?? index}>
                <RuleFields
                  number={index + 1}
                  rule={rule}
                  onChange={(next) => setRules(rules.with(index, next))}
                  onRemove={() => setRules(rules.toSpliced(index, 1), keys.toSpliced(index, 1))}
                  onUp={index > 0 ? () => move(index, index - 1) : undefined}
                  onDown={index < rules.length - 1 ? () => move(index, index + 1) : undefined}
                  error={errorAt(errors, `${PATH}.rules.${index}`)}
                />
              </li>
            ))}
          </ol>
        )}
        <Button icon="plus" disabled={rules.length >= MAX_RULES} onClick={add}>
          Add a rule
        </Button>
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField
            label="All other calls"
            value={value.default ?? 'allow'}
            onChange={({ target }) => set({ default: target.value as Api.PermissionAction })}
            error={errors[`${PATH}.default`]}
          >
            <option value="allow">Are allowed</option>
            <option value="ask">Are asked about</option>
            <option value="deny">Are denied</option>
          </SelectField>
          <SelectField
            label="Asked by a schedule or trigger"
            hint="Where nobody may be there to decide."
            value={value.unattended ?? 'wait'}
            onChange={({ target }) => set({ unattended: target.value as NonNullable<Permissions['unattended']> })}
            error={errors[`${PATH}.unattended`]}
          >
            <option value="wait">Waits for a person all the same</option>
            <option value="deny">Is denied</option>
            <option value="allow">Is allowed</option>
          </SelectField>
          <NumberField
            name="expires_after_seconds"
            label="Denied if nobody decides, after seconds"
            min={60}
            max={2_592_000}
            placeholder="Default: 86400"
            value={value.expires_after_seconds}
            onChange={(seconds) => set({ expires_after_seconds: seconds })}
            error={errors[`${PATH}.expires_after_seconds`]}
          />
        </div>
        <ApproverFields
          value={value.approvers}
          onChange={(approvers) => set({ approvers })}
          error={errorAt(errors, `${PATH}.approvers`)}
        />
      </div>
    </Section>
  );
}

const moved = <T,>(list: T[], from: number, to: number): T[] => {
  const item = list.slice(from, from + 1);
  return list.toSpliced(from, 1).toSpliced(to, 0, ...item);
};
