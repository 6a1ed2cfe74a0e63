import { buildCommand, buildRouteMap } from '@stricli/core';
import { agentArgument, type Cli, type Common, common } from '../cli.js';
import { clean } from '../output/clean.js';
import { ago } from '../output/table.js';

const scheduleArgument = { brief: 'Id of the schedule', placeholder: 'schedule', parse: String };
const oneSchedule = { kind: 'tuple', parameters: [agentArgument, scheduleArgument] } as const;

const list = buildCommand({
  docs: { brief: 'The schedules of an agent' },
  parameters: { flags: common, positional: { kind: 'tuple', parameters: [agentArgument] } },
  async func(this: Cli, flags: Common, name: string) {
    const schedules = await (await this.agent(flags, name)).schedules.list().toArray();
    if (flags.json) return this.out.json(schedules);
    const rows = schedules.map((one) => [
      one.id,
      one.cron_expression,
      one.timezone,
      ago(one.last_run_at),
      ago(one.next_run_at),
      one.name,
    ]);
    this.out.table(
      ['ID', 'CRON', 'ZONE', 'LAST', 'NEXT', 'NAME'],
      rows,
      'No schedules. Make one with: roost schedules create',
    );
  },
});

const create = buildCommand({
  docs: { brief: 'Send an agent a message at certain times' },
  parameters: {
    flags: {
      ...common,
      name: { kind: 'parsed', parse: String, optional: true, brief: 'Its name; the cron expression if not given' },
      timezone: { kind: 'parsed', parse: String, default: 'UTC', brief: 'IANA zone, e.g. Europe/Berlin' },
    },
    positional: {
      kind: 'tuple',
      parameters: [
        agentArgument,
        { brief: 'E.g. "0 9 * * 1-5" or @daily', placeholder: 'cron', parse: String },
        { brief: 'The message; may hold {{date}}, {{time}}, {{schedule.name}}', placeholder: 'message', parse: String },
      ],
    },
  },
  async func(
    this: Cli,
    flags: Common & { name?: string; timezone: string },
    name: string,
    cron: string,
    message: string,
  ) {
    const schedule = await (
      await this.agent(flags, name)
    ).schedules.create({
      name: flags.name ?? cron,
      cron_expression: cron,
      message_template: message,
      timezone: flags.timezone,
    });
    if (flags.json) this.out.json(schedule);
    else this.out.line(`${schedule.id}  next ${ago(schedule.next_run_at)}`);
  },
});

const run = buildCommand({
  docs: { brief: 'Fire a schedule now' },
  parameters: { flags: common, positional: oneSchedule },
  async func(this: Cli, flags: Common, name: string, id: string) {
    const execution = await (await this.agent(flags, name)).schedules.run(id);
    if (flags.json) this.out.json(execution);
    else this.out.line('fired');
  },
});

function setEnabled(enabled: boolean) {
  return buildCommand({
    docs: { brief: enabled ? 'Let a schedule fire again' : 'Keep a schedule from firing' },
    parameters: { flags: common, positional: oneSchedule },
    async func(this: Cli, flags: Common, name: string, id: string) {
      const schedule = await (await this.agent(flags, name)).schedules.setEnabled(id, enabled);
      if (flags.json) this.out.json(schedule);
      else this.out.line(`${clean(schedule.name)} is ${schedule.enabled ? 'enabled' : 'disabled'}`);
    },
  });
}

const remove = buildCommand({
  docs: { brief: 'Delete a schedule' },
  parameters: { flags: common, positional: oneSchedule },
  async func(this: Cli, flags: Common, name: string, id: string) {
    const result = await (await this.agent(flags, name)).schedules.delete(id);
    if (flags.json) this.out.json(result);
    else this.out.line('deleted');
  },
});

const history = buildCommand({
  docs: { brief: 'The firings of a schedule and what became of them, the newest first' },
  parameters: { flags: common, positional: oneSchedule },
  async func(this: Cli, flags: Common, name: string, id: string) {
    const executions = await (await this.agent(flags, name)).schedules.executions(id).toArray(100);
    if (flags.json) return this.out.json(executions);
    const rows = executions.map((one) => [one.status, ago(one.scheduled_for), one.message_id, one.error]);
    this.out.table(['STATUS', 'SLOT', 'MESSAGE', 'ERROR'], rows, 'It has not fired yet.');
  },
});

export const schedules = buildRouteMap({
  docs: { brief: 'Messages to an agent at certain times' },
  routes: { list, create, run, history, enable: setEnabled(true), disable: setEnabled(false), delete: remove },
});
