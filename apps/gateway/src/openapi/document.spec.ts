import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '#lib/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ERROR_STATUS } from '#lib/contracts';
import { controllers } from '../gateway.module.js';
import { routesOf } from '../http/routes.js';
import { openApiDocument, operationIdOf } from './openapi-document.js';

const run = promisify(execFile);

interface Media {
  example?: unknown;
  examples?: Record<string, { value: { error: { code: string } } }>;
}
interface Operation {
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media> }>;
}
const document = openApiDocument(controllers, '0.1.0') as { paths: Record<string, Record<string, Operation>> };

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

  it('lists every error code of every route under its status, with an example', () => {
    for (const { operationId, definition, operation } of routes)
      for (const code of [...(definition.errors ?? []), 'INTERNAL'] as const) {
        const media = operation.responses[String(ERROR_STATUS[code])]?.content?.['application/json'];
        expect(media?.examples?.[code]?.value.error.code, `${operationId} ${code}`).toBe(code);
      }
  });
});

function operationOf(operationId: string): Operation {
  const found = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .find((operation) => (operation as unknown as { operationId: string }).operationId === operationId);
  if (!found) throw new Error(`the document does not hold ${operationId}`);
  return found;
}
