import type { ScheduleExecution } from '@roost-ai/sdk';

export type ExecutionStatus = ScheduleExecution['status'];

/** What a status is called, and what it means (docs/guide/schedules.md). */
export const EXECUTION_STATUSES: Record<
  ExecutionStatus,
  { label: string; tone: 'ok' | 'warn' | 'bad' | 'neutral' | 'accent'; about: string }
> = {
  pending: { label: 'Pending', tone: 'neutral', about: 'Its message is about to be sent to the agent' },
  queued: { label: 'Queued', tone: 'neutral', about: 'Its message waits in the agent’s queue' },
  running: { label: 'Running', tone: 'accent', about: 'The agent works on it' },
  completed: { label: 'Completed', tone: 'ok', about: 'The agent answered it' },
  failed: { label: 'Failed', tone: 'bad', about: 'It was given up' },
  skipped: { label: 'Skipped', tone: 'warn', about: 'It was not wanted then' },
  missed: { label: 'Missed', tone: 'warn', about: 'Its time passed while Roost was down' },
};

/** In a search of an address: another word is none. */
export const executionStatus = (value: unknown): ExecutionStatus | undefined =>
  typeof value === 'string' && value in EXECUTION_STATUSES ? (value as ExecutionStatus) : undefined;

export const isOpen = ({ status }: { status: ExecutionStatus }): boolean =>
  status === 'pending' || status === 'queued' || status === 'running';
