import { Controller, Get } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { controllers } from '../gateway.module.js';
import { checkRoutes } from './check-routes.js';
import { Endpoint, Tag } from './endpoint.js';

describe('the routes of the gateway', () => {
  it('are all declared', () => checkRoutes(controllers));

  it('stop the start when one has no declaration, or one that leaves a rule open', () => {
    @Tag('Bad')
    @Controller('bad')
    class Bad {
      @Get()
      naked() {
        return 'anybody gets this';
      }

      @Get('open')
      @Endpoint({ access: 'public', summary: 'Whose?' })
      whose() {
        return undefined;
      }

      @Get(':id')
      @Endpoint({ access: 'account', summary: 'Unchecked' })
      unchecked() {
        return undefined;
      }
    }
    expect(() => checkRoutes([...controllers, Bad])).toThrow(
      /Bad\.naked has no @Endpoint[^]*Bad\.whose is public and does not state[^]*Bad\.unchecked has ids in its path/,
    );
  });
});
