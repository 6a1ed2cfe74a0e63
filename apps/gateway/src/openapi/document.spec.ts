import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '#lib/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ERROR_STATUS, WEBHOOK_EVENTS } from '#lib/contracts';
import { controllers } from '../gateway.module.js';
import { routesOf } from '../http/routes.js';
import { undescribed } from '../../test/undescribed.js';
import { openApiDocument, operationIdOf } from './openapi-document.js';

const run = promisify(execFile);

interface Media {
  example?: unknown;
  examples?: Record<string, { $ref: string }>;
}
interface Response {
  $ref?: string;
  content?: Record<string, Media>;
}
interface Operation {
  operationId: string;
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, Response>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, Response>; examples: Record<string, { value: { error: { code: string } } }> };
}
const document = openApiDocument(controllers, '0.1.0') as Document;
const last = (pointer = '') => pointer.split('/').at(-1) ?? '';

/** Every declaration with what the document says of it. */
const routes = routesOf(controllers).flatMap(({ endpoint, ...route }) => {
  const operationId = operationIdOf(route, endpoint?.operationId);
  return endpoint ? [{ operationId, definition: { ...route, ...endpoint }, operation: operationOf(operationId) }] : [];
});

describe('the OpenAPI document', () => {
  let file: string;
  beforeAll(() => {
    file = join(temporaryFolder(), 'openapi.json');
    writeFileSync(file, JSON.stringify(document));
  });

  it('has no error for redocly lint', async () => {
    // Nothing is sent anywhere: neither what was linted nor a question for a newer version.
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' };
    const { stdout } = await run(
      process.execPath,
      ['node_modules/@redocly/cli/bin/cli.js', 'lint', '--format=json', file],
      {
        env,
        maxBuffer: 64 * 2 ** 20,
      },
    );
    expect(JSON.parse(stdout)).toMatchObject({ totals: { errors: 0 } });
  });

  it('is taken by a client generator', async () => {
    const types = file.replace('.json', '.d.ts');
    await run(process.execPath, ['node_modules/openapi-typescript/bin/cli.js', file, '-o', types]);
    expect(readFileSync(types, 'utf8')).toContain('"/v1/agent/{id}/messages"');
  });

  it('has a body and an answer as example on every route, which the route’s own schemas accept', () => {
    for (const { operationId, definition, operation } of routes) {
      const status = String(definition.status ?? 200);
      const body = operation.requestBody?.content['application/json']?.example;
      const answer = operation.responses[status]?.content?.['application/json']?.example;
      if (definition.body) expect(definition.body.safeParse(body).error, operationId).toBeUndefined();
      if (definition.response) expect(definition.response.safeParse(answer).error, operationId).toBeUndefined();
    }
  });

  it('describes every operation, parameter, field, header, event and error', () => {
    expect(undescribed(document)).toEqual([]);
  });

  it('describes what is sent to endpoints of accounts, each type of event with its payload', () => {
    const { webhooks } = document as unknown as {
      webhooks: Record<string, { post: { parameters: { name: string }[] } }>;
    };
    expect(Object.keys(webhooks).sort()).toEqual([...WEBHOOK_EVENTS, 'webhook.test'].sort());
    for (const { post } of Object.values(webhooks))
      expect(post.parameters.map(({ name }) => name)).toEqual(['webhook-id', 'webhook-timestamp', 'webhook-signature']);
  });

  it('lists every error code of every route under its status, with an example', () => {
    for (const { operationId, definition, operation } of routes)
      for (const code of [...(definition.errors ?? []), 'INTERNAL'] as const) {
        const response = document.components.responses[last(operation.responses[String(ERROR_STATUS[code])]?.$ref)];
        const example = response?.content?.['application/json']?.examples?.[code];
        expect(document.components.examples[last(example?.$ref)]?.value.error.code, `${operationId} ${code}`).toBe(
          code,
        );
      }
  });
});

function operationOf(operationId: string): Operation {
  const found = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .find((operation) => operation.operationId === operationId);
  if (!found) throw new Error(`the document does not hold ${operationId}`);
  return found;
}
