import type { Schedule } from '#lib/contracts';

export interface ScheduleRow {
  id: string;
  account_id: string;
  agent_id: string;
  name: string;
  cron_expression: string;
  message_template: string;
  timezone: string;
  enabled: boolean;
  queue_mode: Schedule['queueMode'];
  overlap: Schedule['overlap'];
  catch_up: Schedule['catchUp'];
  last_run_at: Date | null;
  next_run_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export function toSchedule(row: ScheduleRow): Schedule {
  return {
    uuid: row.id,
    id: row.id,
    agentUuid: row.agent_id,
    name: row.name,
    cronExpression: row.cron_expression,
    messageTemplate: row.message_template,
    timezone: row.timezone,
    enabled: row.enabled,
    queueMode: row.queue_mode,
    overlap: row.overlap,
    catchUp: row.catch_up,
    lastRunAt: row.last_run_at,
    nextRunAt: row.next_run_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
