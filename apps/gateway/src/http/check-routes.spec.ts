import { Controller, Get } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { controllers } from '../gateway.module.js';
import { checkRoutes } from './check-routes.js';
import { Endpoint } from './endpoint.js';

describe('the routes of the gateway', () => {
  it('are all declared', () => checkRoutes(controllers));

  it('stop the start when one has no declaration, or one that leaves a rule open', () => {
    @Controller('bad')
    class Bad {
      @Get()
      naked() {
        return 'anybody gets this';
      }

      @Endpoint({ method: 'GET', path: 'open', access: 'public', tag: 'Bad', summary: 'Whose?' })
      whose() {
        return {};
      }

      @Endpoint({ method: 'GET', path: ':id', access: 'account', tag: 'Bad', summary: 'Unchecked' })
      unchecked() {
        return {};
      }
    }
    expect(() => checkRoutes([...controllers, Bad])).toThrow(
      /Bad\.naked has no @Endpoint[^]*Bad\.whose is public and does not say[^]*Bad\.unchecked has ids in its path/,
    );
  });
});
