import { Bus } from '#lib/bus';
import { healthCheck, wire } from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';

/** All services behind the API. */
export const SERVICES = [
  'agent-lifecycle',
  'messaging',
  'agent-runtime',
  'scheduler',
  'webhook-dispatch',
  'channels',
] as const;

const state = z.enum(['up', 'down']);
export const ServiceHealth = wire({
  name: z.string().describe('The service.'),
  state: state.describe('`down`: it does not answer, or something that it needs is away.'),
  dependencies: z.record(z.string(), state).describe('What it needs, and how that is; empty when it does not answer.'),
  details: z.record(z.string(), z.string()).optional().describe('How it does its work on this machine.'),
}).meta({ id: 'ServiceHealth', description: 'How a service is.' });
export type ServiceHealth = z.output<typeof ServiceHealth>;

/** Asks services whether they can do their work. */
@Injectable()
export class HealthChecks {
  constructor(private readonly bus: Bus) {}

  /** Answers within two seconds: one that does not is down. */
  check(name: string): Promise<ServiceHealth> {
    return this.bus.request(healthCheck(name), {}).then(
      ({ dependencies, details }) => ({
        name,
        state: Object.values(dependencies).includes('down') ? ('down' as const) : ('up' as const),
        dependencies,
        ...(details ? { details } : {}),
      }),
      () => ({ name, state: 'down' as const, dependencies: {} }),
    );
  }
}
