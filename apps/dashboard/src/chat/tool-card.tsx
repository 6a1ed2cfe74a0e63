import { CodeBlock } from '../components/code.js';
import { Icon } from '../components/icon.js';
import { visibleText } from '../components/visible-text.js';
import type { ToolPart } from '../events/agent-state.js';
import { inputText, summaryOf } from './tool-input.js';

/** A call of a tool: what it was asked, and what it gave, as text. */
export function ToolCard({ part, isLive }: { part: ToolPart; isLive: boolean }) {
  const { name, input, output, isError } = part;
  const isRunning = output === undefined && isLive;
  const summary = summaryOf(input);
  return (
    <details className="group rounded-xl border border-line bg-surface" open={isRunning || undefined}>
      <summary className="flex min-h-10 list-none items-center gap-2.5 rounded-xl px-3 text-sm [&::-webkit-details-marker]:hidden">
        <Icon name={/bash|shell|exec|command/i.test(name) ? 'terminal' : 'wrench'} className="text-faint" />
        <span className="shrink-0 font-medium">{visibleText(name)}</span>
        <span className="min-w-0 grow truncate font-mono text-xs text-soft">{summary}</span>
        <State isRunning={isRunning} isError={isError} isOver={output !== undefined} />
        <Icon name="chevron-right" className="text-faint transition-transform group-open:rotate-90" />
      </summary>
      <div className="space-y-2 border-t border-line p-3">
        <CodeBlock label={`What ${name} was asked`} text={visibleText(inputText(input))} />
        {output !== undefined && <CodeBlock label={`What ${name} gave`} text={visibleText(output) || '(nothing)'} />}
      </div>
    </details>
  );
}

function State({ isRunning, isError, isOver }: { isRunning: boolean; isError: boolean; isOver: boolean }) {
  if (isRunning)
    return (
      <span className="flex items-center gap-1.5 text-xs text-accent">
        <Icon name="loader-circle" className="animate-spin" />
        running
      </span>
    );
  if (!isOver) return <span className="text-xs text-faint">not finished</span>;
  return isError ? (
    <span className="flex items-center gap-1 text-xs font-medium text-bad">
      <Icon name="x" />
      failed
    </span>
  ) : (
    <span className="text-ok">
      <Icon name="check" />
      <span className="sr-only">done</span>
    </span>
  );
}
