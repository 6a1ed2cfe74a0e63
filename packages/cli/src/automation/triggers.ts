import { parseExactJson } from '@roost-ai/sdk';
import { buildCommand, buildRouteMap } from '@stricli/core';
import { agentArgument, type Cli, type Common, common, readAll } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { clean } from '../output/clean.js';
import { ago } from '../output/table.js';

const list = buildCommand({
  docs: { brief: 'The triggers of an agent' },
  parameters: { flags: common, positional: { kind: 'tuple', parameters: [agentArgument] } },
  async func(this: Cli, flags: Common, name: string) {
    const triggers = await (await this.agent(flags, name)).triggers.list().toArray();
    if (flags.json) return this.out.json(triggers);
    const rows = triggers.map((one) => [
      one.id,
      one.enabled ? 'enabled' : 'disabled',
      ago(one.updated_at),
      one.name,
      one.webhook_url,
    ]);
    this.out.table(
      ['ID', 'STATE', 'CHANGED', 'NAME', 'URL'],
      rows,
      'No triggers. Make one with: roost triggers create',
    );
  },
});

const create = buildCommand({
  docs: { brief: 'Let another system send an agent messages; the secret is printed this once' },
  parameters: {
    flags: common,
    positional: {
      kind: 'tuple',
      parameters: [
        agentArgument,
        { brief: 'Its name', placeholder: 'name', parse: String },
        { brief: 'The message; may hold {{payload.a.b}} and {{headers.x}}', placeholder: 'message', parse: String },
      ],
    },
  },
  async func(this: Cli, flags: Common, agentName: string, name: string, template: string) {
    const trigger = await (await this.agent(flags, agentName)).triggers.create({ name, message_template: template });
    if (flags.json) return this.out.json(trigger);
    this.out.line(
      `id      ${trigger.id}\nurl     ${clean(trigger.webhook_url)}\nsecret  ${trigger.webhook_secret}   (shown this once)`,
    );
  },
});

const triggerArgument = { brief: 'Id of the trigger', placeholder: 'trigger', parse: String };
const oneTrigger = { kind: 'tuple', parameters: [agentArgument, triggerArgument] } as const;

const history = buildCommand({
  docs: { brief: 'The calls of a trigger and what became of them, the newest first' },
  parameters: { flags: common, positional: oneTrigger },
  async func(this: Cli, flags: Common, name: string, id: string) {
    const executions = await (await this.agent(flags, name)).triggers.executions(id).toArray(100);
    if (flags.json) return this.out.json(executions);
    const rows = executions.map((one) => [one.status, ago(one.scheduled_for), one.message_id, one.error]);
    this.out.table(['STATUS', 'CAME', 'MESSAGE', 'ERROR'], rows, 'It was not called yet.');
  },
});

const remove = buildCommand({
  docs: { brief: 'Delete a trigger' },
  parameters: { flags: common, positional: oneTrigger },
  async func(this: Cli, flags: Common, name: string, id: string) {
    const result = await (await this.agent(flags, name)).triggers.delete(id);
    if (flags.json) this.out.json(result);
    else this.out.line('deleted');
  },
});

interface TestFlags extends Common {
  payload: string;
  secret?: string;
  wait: boolean;
}

const test = buildCommand({
  docs: {
    brief: 'Send a trigger what another system would send, and show what comes of it',
    fullDescription:
      'The secret is taken from --secret or ROOST_TRIGGER_SECRET: Roost shows it when the trigger is made and not again.',
  },
  parameters: {
    flags: {
      ...common,
      payload: { kind: 'parsed', parse: String, default: '{}', brief: 'JSON; "-" reads it from stdin' },
      secret: { kind: 'parsed', parse: String, optional: true, brief: 'The trigger’s secret' },
      wait: { kind: 'boolean', default: true, brief: 'Wait for the agent’s answer' },
    },
    positional: oneTrigger,
  },
  async func(this: Cli, flags: TestFlags, name: string, id: string) {
    const secret = flags.secret ?? this.env['ROOST_TRIGGER_SECRET'];
    if (!secret) throw new CliError('the trigger’s secret is needed: --secret or ROOST_TRIGGER_SECRET', EXIT.usage);
    const payload = jsonOf(flags.payload === '-' ? await readAll(this.process.stdin) : flags.payload);
    const agent = await this.agent(flags, name);
    const fired = await agent.triggers.fire(id, { payload, secret });
    if (!flags.wait) return flags.json ? this.out.json(fired) : this.out.line(fired.message_id);
    const reply = await agent.messages.reply(fired.message_id);
    if (flags.json) return this.out.json({ ...fired, reply });
    this.out.line(this.out.dim(`> ${clean(reply.message.content)}`));
    this.out.line(clean(reply.text));
  },
});

function jsonOf(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw new CliError(`the payload is not JSON: ${error instanceof Error ? error.message : ''}`, EXIT.usage);
  }
}

export const triggers = buildRouteMap({
  docs: { brief: 'Messages to an agent from other systems' },
  routes: { list, create, test, history, delete: remove },
});
