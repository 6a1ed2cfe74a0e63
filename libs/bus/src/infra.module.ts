import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Bus } from './bus.js';

/** Injection token of the service's configuration. */
export const CONFIG = Symbol('roost:config');
/** Injection token of the service's pino logger. */
export const LOGGER = Symbol('roost:logger');

export interface Infra {
  bus: Bus;
  database?: Database;
  config: object;
  logger: Logger;
}

/** Gives every provider of a service its bus, its database, its configuration and its log. */
@Global()
@Module({})
export class InfraModule {
  static with({ bus, database, config, logger }: Infra): DynamicModule {
    const providers = [
      { provide: Bus, useValue: bus },
      ...(database ? [{ provide: Database, useValue: database }] : []),
      { provide: CONFIG, useValue: config },
      { provide: LOGGER, useValue: logger },
    ];
    return {
      module: InfraModule,
      imports: [DiscoveryModule],
      providers,
      exports: [...providers.map(({ provide }) => provide), DiscoveryModule],
    };
  }
}
