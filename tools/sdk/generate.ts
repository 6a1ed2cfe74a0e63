import { createClient } from '@hey-api/openapi-ts';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controllers } from '../../apps/gateway/src/gateway.module.js';
import { openApiDocument } from '../../apps/gateway/src/openapi/openapi-document.js';

/** It is compiled as it comes: its authors do not compile it by rules as strict as ours. */
const NOT_CHECKED = '// @ts-nocheck: generated code, written for looser compiler options than ours.\n';

/** Writes the SDK's core, made from the gateway's OpenAPI document, into a folder that holds nothing else. */
export async function generateSdk(folder: string): Promise<void> {
  const input = join(tmpdir(), `roost-openapi-${process.pid}.json`);
  // The generated code does not name the version: a release alone changes nothing.
  writeFileSync(input, JSON.stringify(withoutExamples(openApiDocument(controllers, '0'))));
  try {
    await createClient({
      input,
      output: { path: folder, clean: true, module: { extension: '.js' } },
      logs: { level: 'silent', file: false },
      plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
    });
  } finally {
    rmSync(input, { force: true });
  }
  for (const part of ['client', 'core'])
    for (const name of readdirSync(join(folder, part))) {
      const path = join(folder, part, name);
      writeFileSync(path, NOT_CHECKED + readFileSync(path, 'utf8'));
    }
}

/** Examples are nothing to types, and most of the document. */
function withoutExamples(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutExamples);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      // A property may have that name, too; its value is then a schema.
      .filter(([key, inner]) => !(/^examples?$/.test(key) && !isSchema(inner)))
      .map(([key, inner]) => [key, withoutExamples(inner)]),
  );
}

const isSchema = (value: unknown) => typeof value === 'object' && value !== null && 'type' in value;
