import { createSchedule, deleteSchedule, listSchedules, type Schedule } from '#lib/contracts';
import { tool, type ToolSet, zodSchema } from 'ai';
import { z } from 'zod';
import type { ToolContext } from './tool-context.js';
import { toolCall } from './workspace-request.js';

const NewSchedule = zodSchema(
  z.object({
    name: z.string().min(1).max(255),
    cron: z.string().min(1).max(200).describe('Five fields: minute hour day month weekday, e.g. 0 9 * * 1-5'),
    message: z
      .string()
      .min(1)
      .max(100_000)
      .describe('The message that you get then; {{date}}, {{time}} and {{schedule.name}} are filled in'),
    timezone: z.string().max(100).default('UTC').describe('IANA name, e.g. Europe/Berlin'),
  }),
);

const Page = zodSchema(z.object({ page: z.number().int().min(1).default(1) }));

const Which = zodSchema(z.object({ id: z.uuid() }));

/** `schedule_create`, `schedule_list`, `schedule_delete`: messages that the agent sends itself at times it chooses. */
export function scheduleTools(context: ToolContext): ToolSet {
  const { bus, agentId } = context;
  return {
    schedule_create: tool({
      description:
        'Have a message sent to you at set times; it starts a conversation of its own. Use send_message in it to tell somebody of the outcome.',
      inputSchema: NewSchedule,
      execute: async ({ name, cron, message, timezone }) => {
        const schedule = await bus.request(
          createSchedule,
          {
            agentId,
            name,
            cronExpression: cron,
            messageTemplate: message,
            timezone,
            enabled: true,
            queueMode: 'collect',
            overlap: 'queue',
            catchUp: 'latest',
          },
          toolCall(context, createSchedule.timeoutMs),
        );
        return `Created. ${lineOf(schedule)}`;
      },
    }),
    schedule_list: tool({
      description: 'List your schedules, a page of 50 at a time.',
      inputSchema: Page,
      execute: async ({ page }) => {
        const { schedules, pagination } = await bus.request(
          listSchedules,
          { agentId, page, limit: 50 },
          toolCall(context, listSchedules.timeoutMs),
        );
        const lines = schedules.map(lineOf);
        if (page < pagination.totalPages) lines.push(`[there are more: page ${page + 1} of ${pagination.totalPages}]`);
        return lines.join('\n') || '[no schedule]';
      },
    }),
    schedule_delete: tool({
      description: 'Delete one of your schedules by its id.',
      inputSchema: Which,
      execute: async ({ id }) => {
        await bus.request(deleteSchedule, { agentId, scheduleId: id }, toolCall(context, deleteSchedule.timeoutMs));
        return 'Deleted.';
      },
    }),
  };
}

function lineOf({ id, name, cronExpression, timezone, nextRunAt, messageTemplate }: Schedule): string {
  const next = nextRunAt ? `next ${nextRunAt.toISOString()}` : 'disabled';
  return `${id}: “${name}”, ${cronExpression} (${timezone}), ${next}: ${messageTemplate.slice(0, 200)}`;
}
