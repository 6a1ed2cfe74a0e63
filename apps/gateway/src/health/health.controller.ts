import { Database } from '#lib/database';
import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Endpoint, Tag } from '../http/endpoint.js';
import { HealthChecks } from './service-health.js';

/** Services without which no message is answered. */
const SERVICES = ['agent-lifecycle', 'messaging', 'agent-runtime'];
const Ready = z.object({
  status: z.enum(['ready', 'not_ready']).describe('Whether all of it is up.'),
  dependencies: z.record(z.string(), z.enum(['up', 'down'])).describe('Each thing that is needed, and how it is.'),
  workspaces: z
    .record(z.string(), z.string())
    .optional()
    .describe('How workspaces are isolated and limited on this machine.'),
});

@Tag('Health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly checks: HealthChecks,
    private readonly database: Database,
  ) {}

  @Get('live')
  @Endpoint({
    access: 'public',
    tenant: 'none',
    summary: 'The process answers',
    description: 'For a liveness probe: 200 while the process runs, whatever it depends on.',
    responseDescription: 'It runs.',
    response: z.object({ status: z.literal('live').describe('Always `live`.') }),
  })
  live() {
    return { status: 'live' as const };
  }

  /** 503 while something that messages need is away, and names it. */
  @Get('ready')
  @Endpoint({
    access: 'public',
    tenant: 'none',
    summary: 'Everything that messages need answers',
    description:
      'For monitors: PostgreSQL and the services without which no message is answered. Answers within two seconds. Whether to send requests to one gateway among several is told by `/ready` on its metrics port: it goes by what that gateway needs itself, so that the rest of the API is served while another service is away.',
    responseDescription: 'All of it is up. With 503 the body is the same and names what is down.',
    response: Ready,
    errors: ['SERVICE_UNAVAILABLE'],
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const [isUp, ...services] = await Promise.all([
      this.database.isUp(),
      ...SERVICES.map((name) => this.checks.check(name)),
    ]);
    const dependencies = {
      postgres: isUp ? ('up' as const) : ('down' as const),
      ...Object.fromEntries(services.map(({ name, state }) => [name, state] as const)),
    };
    const workspaces = services.find(({ details }) => details)?.details;
    const isReady = Object.values(dependencies).every((state) => state === 'up');
    void reply.status(isReady ? 200 : 503);
    return {
      status: isReady ? ('ready' as const) : ('not_ready' as const),
      dependencies,
      ...(workspaces ? { workspaces } : {}),
    };
  }
}
