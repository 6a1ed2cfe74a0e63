import type { RunDetails, RunStep } from '@roost-ai/sdk';
import { useRef } from 'react';
import { summaryOf } from '../chat/tool-input.js';
import { useListKeys } from '../components/use-list-keys.js';
import { useNow } from '../components/use-now.js';
import { visibleText } from '../components/visible-text.js';
import { argumentsOf, isFailed, isOpen, stepIcon, stepKey, stepLabel, tookMs } from './run-words.js';
import { Axis, type Scale, WaterfallRow } from './waterfall-row.js';

type Attempt = RunDetails['attempts'][number];

interface WaterfallProps {
  run: RunDetails;
  /** Key of the step that is shown; undefined: the run itself. */
  chosen: string | undefined;
  onChoose: (key: string | undefined) => void;
}

/** When each step began and how long it took, one below another, attempt by attempt. */
export function Waterfall({ run, chosen, onChoose }: WaterfallProps) {
  const now = useNow(isOpen(run.status) ? 250 : undefined);
  const list = useRef<HTMLOListElement>(null);
  useListKeys(list);
  const scale = { from: Date.parse(run.started_at), ms: Math.max(1, tookMs(run, now)) };
  return (
    <ol ref={list} aria-label="What happened" className="pb-3">
      <li className="sticky top-0 z-10 bg-canvas pt-2">
        <Axis ms={scale.ms} />
        <WaterfallRow
          scale={scale}
          icon="activity"
          label="The run"
          from={scale.from}
          ms={scale.ms}
          isCurrent={chosen === undefined}
          onChoose={() => onChoose(undefined)}
        />
      </li>
      {run.attempts.map((attempt) => (
        <AttemptRows
          key={attempt.turn_id}
          attempt={attempt}
          isOnly={run.attempts.length === 1}
          steps={run.steps.filter((step) => step.attempt === attempt.number)}
          scale={scale}
          now={now}
          chosen={chosen}
          onChoose={onChoose}
        />
      ))}
      {isOpen(run.status) && (
        <li role="status" className="flex items-center gap-2 px-4 pt-2 text-sm text-soft sm:px-6">
          <span className="size-2 animate-pulse rounded-full bg-accent" />
          {run.status === 'running' ? 'At work' : 'Waits to be tried again'}
        </li>
      )}
    </ol>
  );
}

interface AttemptRowsProps extends Omit<WaterfallProps, 'run'> {
  attempt: Attempt;
  steps: RunStep[];
  isOnly: boolean;
  scale: Scale;
  now: number;
}

const STATES: Record<Attempt['state'], string> = {
  running: 'at work',
  completed: 'answered',
  failed: 'failed',
  interrupted: 'stopped',
  released: 'handed on',
  expired: 'its worker was lost',
  suspended: 'waits for approval',
};

function AttemptRows({ attempt, steps, isOnly, scale, now, chosen, onChoose }: AttemptRowsProps) {
  const { number, state, error, ended_at: endedAt } = attempt;
  const until = endedAt === null ? now : Date.parse(endedAt);
  return (
    <>
      {!isOnly && (
        <li className="px-4 pt-3 pb-1 text-xs wrap-anywhere text-faint sm:px-6">
          <span className="font-medium text-soft">Attempt {number}</span> · {STATES[state]}
          {error && <span className="text-bad"> · {visibleText(error.message)}</span>}
        </li>
      )}
      {steps.map((step) => {
        const from = Date.parse(step.started_at);
        return (
          <li key={step.number}>
            <WaterfallRow
              scale={scale}
              icon={stepIcon(step)}
              label={visibleText(stepLabel(step))}
              summary={step.tool && summaryOf(argumentsOf(step.tool))}
              kind={step.kind}
              isFailed={isFailed(step)}
              isRunning={step.duration_ms === null && endedAt === null}
              from={from}
              // A worker that was lost has not said how long it took.
              ms={step.duration_ms ?? Math.max(0, until - from)}
              waitMs={step.model?.time_to_first_token_ms ?? 0}
              isCurrent={chosen === stepKey(step)}
              onChoose={() => onChoose(stepKey(step))}
            />
          </li>
        );
      })}
    </>
  );
}
