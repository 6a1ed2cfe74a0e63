import type { Api, ExplainedCall } from '@roost-ai/sdk';
import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { Badge, ErrorNote } from '../components/feedback.js';
import { SelectField, TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import { visibleText } from '../components/visible-text.js';
import { JsonField } from '../schema-form/json-field.js';
import { BUILT_IN_TOOLS } from './tools.js';

const ACTIONS = {
  allow: { label: 'It would run', tone: 'ok' },
  ask: { label: 'It would be asked about', tone: 'warn' },
  deny: { label: 'It would be denied', tone: 'bad' },
} as const;
const BECAUSE = { tool: 'another tool', source: 'the turn began in another way', argument: 'an argument differs' };

type Source = NonNullable<ExplainedCall['source']>;
const SOURCES = ['api', 'discord', 'slack', 'telegram', 'schedule', 'trigger'] satisfies Source[];

interface ExplainCallProps {
  agentId: string;
  /** As they are being edited. */
  permissions: Api.Permissions | undefined;
}

/** Tries permissions that are not saved yet: what would become of a call, and which rule says so. */
export function ExplainCall({ agentId, permissions }: ExplainCallProps) {
  const listId = useId();
  const [tool, setTool] = useState('bash');
  const [args, setArgs] = useState<unknown>({ command: 'ls' });
  const [source, setSource] = useState<Source>('api');
  const explain = useMutation({
    mutationFn: () =>
      roost.agent(agentId).permissions.explain({
        tool,
        arguments: (args ?? {}) as Record<string, never>,
        source,
        permissions: permissions ?? {},
      }),
  });
  const answer = explain.data;
  return (
    <Section title="Try a call" about="What the rules above, saved or not, would make of it.">
      <div className="space-y-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label="Tool"
            list={listId}
            value={tool}
            onChange={({ target }) => setTool(target.value)}
            className="font-mono"
          />
          <datalist id={listId}>
            {BUILT_IN_TOOLS.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
          <SelectField
            label="The turn began by"
            value={source}
            onChange={({ target }) => setSource(target.value as Source)}
          >
            {SOURCES.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </SelectField>
        </div>
        <JsonField label="Arguments" value={args} onChange={setArgs} />
        <Button icon="search" isBusy={explain.isPending} onClick={() => explain.mutate()}>
          Explain
        </Button>
        {explain.error && <ErrorNote error={explain.error} title="It cannot be explained" />}
        {answer && (
          <div role="status" className="space-y-2 text-sm">
            <p className="flex flex-wrap items-center gap-2">
              <Badge tone={ACTIONS[answer.action].tone}>{ACTIONS[answer.action].label}</Badge>
              <span className="wrap-anywhere">{visibleText(answer.reason)}</span>
            </p>
            {answer.passed_over.length > 0 && (
              <ul aria-label="Rules that do not match" className="list-disc pl-5 text-xs text-soft">
                {answer.passed_over.map(({ rule, because, argument }) => (
                  <li key={rule}>
                    Rule {rule + 1}: {argument === null ? BECAUSE[because] : `${visibleText(argument)} differs`}
                  </li>
                ))}
              </ul>
            )}
          </div>
        )}
      </div>
    </Section>
  );
}
