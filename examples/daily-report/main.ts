/**
 * A report of the day's orders, written by an agent at nine in your time zone. Each start gives the agent the newest
 * numbers and fetches the reports that were written meanwhile: Roost needs this program neither to fire nor to answer.
 * `npm start -- --now` does not wait for nine.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type Agent, Roost, type Schedule, type ScheduleExecution } from '@roost-ai/sdk';

const { ROOST_URL = 'http://localhost:3000', ROOST_API_KEY = '' } = process.env;
const { REPORT_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone, REPORT_CRON = '0 9 * * *' } = process.env;
const MESSAGE =
  'It is {{date}}. orders.csv holds all orders so far. Compute with a command, then report in Markdown: the total of ' +
  'today, the best customer, and what is unlike the days before. Answer with the report alone.';

const roost = new Roost({ url: ROOST_URL, apiKey: ROOST_API_KEY });
const agent = await reporter();
const schedule = await daily(agent);
await agent.files.write('orders.csv', await readFile('orders.csv'));

if (process.argv.includes('--now')) await runNow();
for await (const execution of agent.schedules.executions(schedule.id, { status: 'completed' })) await save(execution);
console.log(`The next report is written at ${schedule.next_run_at}.`);

async function reporter(): Promise<Agent> {
  const name = 'daily report';
  for await (const found of roost.agents.list()) if (found.name === name) return roost.agent(found.id);
  // Its commands have no business on the network.
  return roost.agents.create({ name, configuration: { network: { mode: 'none' } } });
}

/** One schedule, as the environment has it now. */
async function daily({ schedules }: Agent): Promise<Schedule> {
  const wanted = { name: 'orders', cron_expression: REPORT_CRON, timezone: REPORT_ZONE, message_template: MESSAGE };
  const [existing] = await schedules.list().first();
  return existing ? schedules.update(existing.id, wanted) : schedules.create(wanted);
}

async function runNow(): Promise<void> {
  const { uuid } = await agent.schedules.run(schedule.id);
  const ends = ['completed', 'failed', 'skipped', 'missed'];
  for (;;) {
    const [newest] = await agent.schedules.executions(schedule.id).first();
    if (newest?.uuid === uuid && ends.includes(newest.status)) return;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function save({ message_id: messageId, scheduled_for: time }: ScheduleExecution): Promise<void> {
  const file = `reports/${time.replaceAll(':', '-')}.md`;
  if (!messageId || existsSync(file)) return;
  const { text } = await agent.messages.reply(messageId);
  await mkdir('reports', { recursive: true });
  await writeFile(file, text);
  console.log(`${file}\n\n${text}\n`);
}
