import type { RunStep } from '@roost-ai/sdk';
import type { ReactNode } from 'react';
import { inputText } from '../chat/tool-input.js';
import { costText, durationText } from '../components/amounts.js';
import { CodeBlock } from '../components/code.js';
import { Facts } from '../components/facts.js';
import { Badge } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { visibleText } from '../components/visible-text.js';
import { argumentsOf, isFailed, stepIcon, stepLabel } from './run-words.js';

const KINDS: Record<RunStep['kind'], string> = {
  model: 'Call of a model',
  tool: 'Call of a tool',
  compaction: 'The older part of the conversation was replaced by a summary',
  retry: 'A call of the model failed and was made again',
  interruption: 'The attempt was stopped',
};

/** Everything that is known of a step. */
export function StepDetail({ step, runStartedAt }: { step: RunStep; runStartedAt: string }) {
  const { kind, model, tool, reason, started_at: startedAt, duration_ms: ms } = step;
  return (
    <div className="space-y-5">
      <header className="space-y-1">
        <h3 className="flex flex-wrap items-center gap-2 text-base font-semibold">
          <Icon name={stepIcon(step)} className="text-faint" />
          <span className="wrap-anywhere">{visibleText(stepLabel(step))}</span>
          {isFailed(step) && <Badge tone="bad">Failed</Badge>}
          {ms === null && <Badge tone="accent">Running</Badge>}
        </h3>
        <p className="text-sm text-soft">{KINDS[kind]}</p>
      </header>
      {reason && <Reason code={reason.code} message={reason.message} />}
      <Facts
        facts={{
          Began: `${durationText(Math.max(0, Date.parse(startedAt) - Date.parse(runStartedAt)))} after the run`,
          Took: ms === null ? undefined : durationText(ms),
          ...(model ? modelFacts(model, ms) : {}),
          'Exit code': tool?.exit_code,
          Call: tool && visibleText(tool.call_id),
        }}
      />
      {tool && <ToolText tool={tool} isRunning={ms === null} />}
    </div>
  );
}

export function Reason({ code, message }: { code: string; message: string }) {
  return (
    <div className="rounded-xl border border-bad/40 bg-bad-soft px-3.5 py-2.5 text-sm">
      <p className="wrap-anywhere">{visibleText(message)}</p>
      <p className="pt-1 font-mono text-xs text-soft">{visibleText(code)}</p>
    </div>
  );
}

function modelFacts(model: NonNullable<RunStep['model']>, ms: number | null): Record<string, ReactNode> {
  const { input_tokens: input, output_tokens: output, time_to_first_token_ms: firstMs } = model;
  const writingMs = ms === null || firstMs === null ? 0 : ms - firstMs;
  return {
    Model: visibleText(model.model),
    'Ended by': model.finish_reason && visibleText(model.finish_reason),
    'First token after': firstMs === null ? undefined : durationText(firstMs),
    Read: counted(input, [
      [model.cached_input_tokens, 'from the cache'],
      [model.cache_write_tokens, 'written to it'],
    ]),
    Written: counted(output, [[model.reasoning_tokens, 'of reasoning']]),
    Speed:
      output && writingMs >= MIN_MEASURED_MS
        ? `${Math.round(output / (writingMs / 1_000)).toLocaleString()} tokens a second`
        : undefined,
    Cost: costText(model.cost_usd),
  };
}

/** Of less no speed can be said. */
const MIN_MEASURED_MS = 100;

function counted(tokens: number | null, parts: [count: number | null | undefined, label: string][]): string {
  if (tokens === null) return 'not reported by the provider';
  const known = parts.flatMap(([count, label]) => (count ? [`${count.toLocaleString()} ${label}`] : []));
  return `${tokens.toLocaleString()} tokens${known.length > 0 ? ` (${known.join(', ')})` : ''}`;
}

function ToolText({ tool, isRunning }: { tool: NonNullable<RunStep['tool']>; isRunning: boolean }) {
  return (
    <>
      <Text
        title="Arguments"
        text={tool.arguments === null ? null : visibleText(inputText(argumentsOf(tool)))}
        none="Not kept: the run has too many."
      />
      <Text
        title="Result"
        text={tool.result === null ? null : visibleText(tool.result) || '(nothing)'}
        none={isRunning ? 'None yet: it runs.' : 'Not kept.'}
      />
      {tool.is_truncated && (
        <p className="text-xs text-faint">
          Shortened: of long arguments and results the beginning and the end are kept.
        </p>
      )}
    </>
  );
}

function Text({ title, text, none }: { title: string; text: string | null; none: string }) {
  return (
    <div className="space-y-1.5">
      <h4 className="text-sm font-medium">{title}</h4>
      {text === null ? <p className="text-sm text-soft">{none}</p> : <CodeBlock label={title} text={text} />}
    </div>
  );
}
