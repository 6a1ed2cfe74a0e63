import { Bus } from '#lib/bus';
import { healthCheck } from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';

/** Services without which no message is answered. */
const SERVICES = ['agent-lifecycle', 'messaging', 'agent-runtime'];
const common = { access: 'public', tenant: 'none', tag: 'Health' } as const;
const Ready = z.object({
  status: z.enum(['ready', 'not_ready']),
  dependencies: z.record(z.string(), z.enum(['up', 'down'])),
});

@Controller('health')
export class HealthController {
  constructor(
    private readonly bus: Bus,
    private readonly database: Database,
  ) {}

  @Endpoint({
    ...common,
    method: 'GET',
    path: 'live',
    summary: 'The process answers',
    response: z.object({ status: z.literal('live') }),
  })
  live() {
    return { status: 'live' as const };
  }

  /** 503 while something that messages need is away; says what. */
  @Endpoint({
    ...common,
    method: 'GET',
    path: 'ready',
    summary: 'Everything that messages need answers',
    response: Ready,
    errors: ['SERVICE_UNAVAILABLE'],
  })
  async ready({ reply }: Call) {
    const database = this.database.query('SELECT 1').then(
      () => ['postgres', 'up'] as const,
      () => ['postgres', 'down'] as const,
    );
    const services = SERVICES.map((name) => this.check(name));
    const dependencies = Object.fromEntries(await Promise.all([database, ...services]));
    const isReady = Object.values(dependencies).every((state) => state === 'up');
    void reply.status(isReady ? 200 : 503);
    return { status: isReady ? ('ready' as const) : ('not_ready' as const), dependencies };
  }

  private async check(name: string): Promise<readonly [string, 'up' | 'down']> {
    return this.bus.request(healthCheck(name), {}).then(
      ({ dependencies }) => [name, Object.values(dependencies).includes('down') ? 'down' : 'up'] as const,
      () => [name, 'down'] as const,
    );
  }
}
