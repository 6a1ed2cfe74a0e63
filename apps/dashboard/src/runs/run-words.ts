import type { Run, RunStep } from '@roost-ai/sdk';
import type { Tone } from '../components/feedback.js';
import type { IconName } from '../components/icon-name.js';

export const RUN_STATUSES = ['running', 'waiting', 'completed', 'failed', 'interrupted', 'cancelled'] as const;
export type RunStatus = Run['status'];
export const RUN_SOURCES = ['api', 'discord', 'slack', 'telegram', 'schedule', 'trigger'] as const;
export type RunSource = Run['source'];

export const STATUS_WORDS: Record<RunStatus, { label: string; tone: Tone; about: string }> = {
  running: { label: 'Running', tone: 'accent', about: 'An attempt is under way' },
  waiting: { label: 'Waiting', tone: 'warn', about: 'The last attempt came to nothing, and another follows' },
  completed: { label: 'Completed', tone: 'ok', about: 'Answered' },
  failed: { label: 'Failed', tone: 'bad', about: 'Ended with an error' },
  interrupted: { label: 'Interrupted', tone: 'neutral', about: 'A newer message took its place' },
  cancelled: { label: 'Cancelled', tone: 'neutral', about: 'Stopped by its owner' },
};

export const sourceLabel = (source: RunSource): string =>
  source === 'api' ? 'API' : `${source[0]?.toUpperCase()}${source.slice(1)}`;

export const isOpen = (status: RunStatus): boolean => status === 'running' || status === 'waiting';

/** How long it took, or has taken so far. */
export const tookMs = (
  { started_at: from, ended_at: to }: Pick<Run, 'started_at' | 'ended_at'>,
  now = Date.now(),
): number => Math.max(0, (to === null ? now : Date.parse(to)) - Date.parse(from));

const ICONS: Record<RunStep['kind'], IconName> = {
  model: 'brain',
  tool: 'wrench',
  compaction: 'list-checks',
  retry: 'refresh-cw',
  interruption: 'circle-stop',
};
export const stepIcon = ({ kind, tool }: RunStep): IconName =>
  tool && /bash|shell|exec|command/i.test(tool.name) ? 'terminal' : ICONS[kind];

/** What a step is called in a list. */
export function stepLabel({ kind, model, tool }: RunStep): string {
  if (tool) return tool.name;
  if (kind === 'compaction') return 'Summary of the past';
  if (model) return model.model.split('/').at(-1) ?? model.model;
  return kind === 'retry' ? 'Try again' : 'Interruption';
}

/** A retry says why, but it is the failure before it that is one. */
export const isFailed = ({ kind, tool, reason }: RunStep): boolean =>
  tool?.is_error === true || (reason !== null && kind !== 'retry');

/** What a tool was asked, as far as it was kept: what was cut is no JSON any more. */
export function argumentsOf(tool: RunStep['tool']): unknown {
  if (!tool?.arguments) return undefined;
  try {
    return JSON.parse(tool.arguments) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return tool.arguments;
    throw error;
  }
}

/** In addresses: attempt and number. */
export const stepKey = ({ attempt, number }: Pick<RunStep, 'attempt' | 'number'>): string => `${attempt}.${number}`;
