import { apiClient, until } from '#lib/testing';

export interface SlotLoadOptions {
  urls: string[];
  apiKey: string;
}

interface Execution {
  scheduled_for: string;
  status: string;
}

const EVERY_SECONDS = 5;

/** A schedule that fires while schedulers die: each of its slots must be carried out once. */
export class SlotLoad {
  agentId = '';
  private scheduleId = '';
  private calls = 0;

  constructor(private readonly options: SlotLoadOptions) {}

  async begin(): Promise<void> {
    this.agentId = (await this.ask<{ id: string }>('POST', '/v1/agent/create', { name: 'scheduled' })).id;
    const schedule = {
      name: 'tick',
      cron_expression: `*/${EVERY_SECONDS} * * * * *`,
      message_template: 'tick',
      catch_up: 'all',
    };
    this.scheduleId = (await this.ask<{ id: string }>('POST', this.path, schedule)).id;
  }

  /** Stops the schedule, waits for what it sent, and gives how many slots it had and what was wrong with them. */
  async end(): Promise<{ slots: number; wrong: string[] }> {
    await this.ask('PATCH', `${this.path}/${this.scheduleId}`, { enabled: false });
    const isOver = ({ status }: Execution) => status !== 'pending' && status !== 'running';
    const executions = await until('the last execution is over', async () => {
      const all = await this.executions();
      return all.every(isOver) && all;
    });
    const times = executions.map(({ scheduled_for }) => Date.parse(scheduled_for)).sort((a, b) => a - b);
    const wrong = executions.flatMap(({ scheduled_for, status }) =>
      status === 'completed' ? [] : [`slot ${scheduled_for} is ${status}`],
    );
    for (const [index, time] of times.slice(1).entries()) {
      const gapMs = time - (times[index] ?? 0);
      if (gapMs !== EVERY_SECONDS * 1_000)
        wrong.push(`slot ${new Date(time).toISOString()} is ${gapMs} ms after another`);
    }
    return { slots: times.length, wrong };
  }

  private async executions(): Promise<Execution[]> {
    const all: Execution[] = [];
    for (let page = 1; ; page += 1) {
      const path = `${this.path}/${this.scheduleId}/executions?limit=100&page=${page}`;
      const { executions } = await this.ask<{ executions: Execution[] }>('GET', path);
      all.push(...executions);
      if (executions.length < 100) return all;
    }
  }

  private get path(): string {
    return `/v1/agent/${this.agentId}/schedules`;
  }

  /** The last fault may still be felt. */
  private async ask<Body>(method: string, path: string, body?: object): Promise<Body> {
    const { urls, apiKey } = this.options;
    const { body: found } = await until(`${method} ${path}`, async () => {
      const api = apiClient(urls[this.calls++ % urls.length] ?? '', apiKey);
      const answer = await api<Body>(method, path, body).catch(() => undefined);
      return answer !== undefined && answer.status < 300 && answer;
    });
    return found;
  }
}
