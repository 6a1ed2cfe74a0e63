import { until } from '#lib/testing';
import type { Record } from '../record.js';
import type { Client } from './client.js';

interface Execution {
  scheduled_for: string;
  status: string;
}

const EVERY_SECONDS = 5;
const LAST_OVER_MS = 90_000;
const OPEN = new Set(['pending', 'queued', 'running']);

/** A schedule that fires while schedulers die. Needs SCHEDULE_MIN_INTERVAL_SECONDS. */
export class SlotLoad {
  agentId = '';
  private scheduleId = '';
  private begunAt = 0;

  constructor(
    private readonly client: Client,
    private readonly record: Record,
  ) {}

  async begin(): Promise<void> {
    this.agentId = (await this.client.ask<{ id: string }>('POST', '/v1/agent/create', { name: 'scheduled' })).id;
    const schedule = {
      name: 'tick',
      cron_expression: `*/${EVERY_SECONDS} * * * * *`,
      message_template: 'tick',
      catch_up: 'all',
    };
    this.scheduleId = (await this.client.ask<{ id: string }>('POST', this.path, schedule)).id;
    this.begunAt = Date.now();
  }

  /** Stops the schedule, waits for what it sent, and records what became of each of its slots. */
  async end(patienceMs = LAST_OVER_MS): Promise<void> {
    const endedAt = Date.now();
    await this.client.ask('PATCH', `${this.path}/${this.scheduleId}`, { enabled: false });
    const isOver = ({ status }: Execution) => !OPEN.has(status);
    let executions: Execution[] = [];
    const areOver = async () => (executions = await this.executions()).every(isOver);
    // One that never ends is a finding, and none of ours.
    await until('the last execution is over', areOver, {
      timeoutMs: Math.min(patienceMs, LAST_OVER_MS),
      everyMs: 500,
    }).catch(() => undefined);
    const everyMs = EVERY_SECONDS * 1_000;
    const schedule = this.scheduleId;
    this.record.write({ kind: 'schedule', schedule, from: this.begunAt, until: endedAt, everyMs });
    for (const { scheduled_for: at, status } of executions)
      this.record.write({ kind: 'slot', schedule, at, status, everyMs });
  }

  private async executions(): Promise<Execution[]> {
    const all: Execution[] = [];
    for (let page = 1; ; page += 1) {
      const path = `${this.path}/${this.scheduleId}/executions?limit=100&page=${page}`;
      const { executions } = await this.client.ask<{ executions: Execution[] }>('GET', path);
      all.push(...executions);
      if (executions.length < 100) return all;
    }
  }

  private get path(): string {
    return `/v1/agent/${this.agentId}/schedules`;
  }
}
