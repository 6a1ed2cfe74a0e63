import type { AgentDocument } from '@roost-ai/sdk';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { type Cli, readAll } from '../cli.js';
import { CliError, EXIT } from '../failure.js';

/** A document as it is in a file, before the API has looked at it. */
export interface ReadDocument {
  file: string;
  document: AgentDocument;
}

/** The documents of files, `-` being stdin. Errors: CliError for what cannot be read, or is neither YAML nor JSON. */
export async function readDocuments(cli: Cli, files: readonly string[]): Promise<ReadDocument[]> {
  if (files.length === 0) throw new CliError('which file? roost apply -f FILE', EXIT.usage);
  const read: ReadDocument[] = [];
  for (const file of files) {
    const text = file === '-' ? await readAll(cli.process.stdin) : textIn(file);
    read.push({ file, document: parsed(file, text) });
  }
  return read;
}

function textIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CliError(`${file} cannot be read`, EXIT.usage);
  }
}

/** JSON is YAML, too. */
function parsed(file: string, text: string): AgentDocument {
  const documents = parseAllDocuments(text, { version: '1.2', schema: 'core', prettyErrors: true, logLevel: 'error' });
  const [document, another] = Array.isArray(documents) ? documents : [];
  if (!document) throw new CliError(`${file} is empty`, EXIT.usage);
  if (another) throw new CliError(`${file} holds several YAML documents: put each in a file of its own`, EXIT.usage);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new CliError(`${file} is not YAML: ${problem.message}`, EXIT.usage);
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CliError(`${file} holds no document: it begins with agents:`, EXIT.usage);
  // The API says what is wrong with a field.
  return value as AgentDocument;
}
