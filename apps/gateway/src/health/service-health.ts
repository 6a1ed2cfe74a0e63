import { Bus } from '#lib/bus';
import { healthCheck } from '#lib/contracts';
import { Injectable } from '@nestjs/common';

export interface ServiceHealth {
  name: string;
  state: 'up' | 'down';
  /** What it needs, as it says itself; empty for one that does not answer. */
  dependencies: Record<string, 'up' | 'down'>;
  /** How it does its work on this machine. */
  details?: Record<string, string> | undefined;
}

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
        details,
      }),
      () => ({ name, state: 'down' as const, dependencies: {} }),
    );
  }
}
