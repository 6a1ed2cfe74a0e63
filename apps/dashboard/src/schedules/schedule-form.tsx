import type { Api } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Button } from '../components/button.js';
import { SelectField, TextArea, TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import { useSettled } from '../components/use-settled.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { CronWords, NextRuns } from './next-runs.js';
import { nextRunsQuery } from './schedules.js';
import { ZoneField } from './zone-field.js';

const COMMON = [
  { label: 'Each hour', cron: '0 * * * *' },
  { label: 'Each day at 9', cron: '0 9 * * *' },
  { label: 'Weekdays at 9', cron: '0 9 * * 1-5' },
  { label: 'Mondays at 9', cron: '0 9 * * 1' },
  { label: 'First of the month', cron: '0 9 1 * *' },
];
/** A request for each letter would say what is wrong with half an expression. */
const TYPED_MS = 350;

export type ScheduleDraft = Required<Api.NewSchedule>;

interface ScheduleFormProps {
  agentId: string;
  draft: ScheduleDraft;
  onChange: (draft: ScheduleDraft) => void;
  errors: Record<string, string>;
  /** Below the fields. */
  children: ReactNode;
}

/** When, and what is then said to the agent; beside it what that comes to. */
export function ScheduleForm({ agentId, draft, onChange, errors, children }: ScheduleFormProps) {
  const set = (change: Partial<ScheduleDraft>) => onChange({ ...draft, ...change });
  const { cron_expression: cron, timezone } = useSettled(draft, TYPED_MS);
  const preview = useQuery(nextRunsQuery(agentId, cron, timezone));
  const wrong = { ...errorsByField(preview.error), ...errors };
  return (
    // On a small screen the next times follow what they come from.
    <div className="flex flex-col gap-5 lg:grid lg:grid-cols-[minmax(0,1fr)_22rem] lg:items-start">
      <div className="contents lg:block lg:space-y-5">
        <div className="order-first">
          <Section title="When">
            <div className="space-y-4">
              <TextField
                label="Cron expression"
                required
                hint="Minute, hour, day, month, weekday; six fields begin with seconds."
                value={draft.cron_expression}
                onChange={({ target }) => set({ cron_expression: target.value })}
                error={wrong['cron_expression']}
                className="font-mono"
              />
              <div role="group" aria-label="Common times" className="flex flex-wrap gap-2">
                {COMMON.map(({ label, cron: common }) => (
                  <Button
                    key={common}
                    aria-pressed={common === draft.cron_expression}
                    onClick={() => set({ cron_expression: common })}
                    className="aria-pressed:border-accent aria-pressed:bg-accent-soft"
                  >
                    {label}
                  </Button>
                ))}
              </div>
              <ZoneField
                value={draft.timezone}
                onChange={(zone) => set({ timezone: zone })}
                error={wrong['timezone']}
              />
            </div>
          </Section>
        </div>
        <div className="order-1 space-y-5">
          <Section title="What the agent is asked">
            <div className="space-y-4">
              <TextField
                label="Name"
                required
                maxLength={255}
                placeholder="Morning report"
                value={draft.name}
                onChange={({ target }) => set({ name: target.value })}
                error={wrong['name']}
              />
              <TextArea
                label="Message"
                required
                rows={5}
                hint="{{date}}, {{time}} and {{schedule.name}} stand for the time that it was due, in the zone above."
                placeholder="It is {{date}}. Write the report of yesterday to reports/{{date}}.md."
                value={draft.message_template}
                onChange={({ target }) => set({ message_template: target.value })}
                error={wrong['message_template']}
              />
            </div>
          </Section>
          <details className="rounded-2xl border border-line bg-surface">
            <summary className="px-5 py-3.5 font-semibold">When the agent is busy, or Roost was down</summary>
            <div className="space-y-4 px-5 pb-5">
              <SelectField
                label="While the agent works on something else"
                value={draft.queue_mode}
                onChange={({ target }) => set({ queue_mode: target.value as ScheduleDraft['queue_mode'] })}
              >
                <option value="collect">Wait until it has ended</option>
                <option value="interrupt">Interrupt it</option>
              </SelectField>
              <SelectField
                label="While the time before is not done yet"
                value={draft.overlap}
                onChange={({ target }) => set({ overlap: target.value as ScheduleDraft['overlap'] })}
              >
                <option value="queue">Send the message anyway</option>
                <option value="skip">Leave this time out</option>
              </SelectField>
              <SelectField
                label="Times that passed while Roost was down"
                value={draft.catch_up}
                onChange={({ target }) => set({ catch_up: target.value as ScheduleDraft['catch_up'] })}
              >
                <option value="latest">Make up for the latest one</option>
                <option value="all">Make up for all of them (at most 100)</option>
                <option value="none">Leave them out</option>
              </SelectField>
            </div>
          </details>
          {children}
        </div>
      </div>
      <Section title="Next times" about={<CronWords cron={cron} />}>
        <NextRuns agentId={agentId} cron={cron} timezone={timezone} />
      </Section>
    </div>
  );
}
