import type { Files } from '@roost-ai/sdk';
import { buildCommand, buildRouteMap } from '@stricli/core';
import { createReadStream, createWriteStream, existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import type { Cli, Common } from '../cli.js';
import { common } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { clean } from '../output/clean.js';
import { ago } from '../output/table.js';
import { copyFolder } from './copy-folder.js';
import { edit } from './edit.js';
import { maybeRemote, type RemotePath, remotePath } from './paths.js';

const remoteArgument = { brief: 'AGENT:PATH', placeholder: 'agent:path', parse: String };

const ls = buildCommand({
  docs: { brief: 'What is in a directory of an agent' },
  parameters: {
    flags: {
      ...common,
      recursive: { kind: 'boolean', optional: true, withNegated: false, brief: 'With what lies below' },
    },
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'AGENT, or AGENT:PATH', placeholder: 'agent:path', parse: String }],
    },
    aliases: { r: 'recursive' },
  },
  async func(this: Cli, flags: Common & { recursive?: boolean }, given: string) {
    const { agent, path } = maybeRemote(given) ?? { agent: given, path: '' };
    const { files } = await this.agent(flags, agent);
    const entries = await files.list(path, { recursive: flags.recursive ?? false }).toArray();
    if (flags.json) return this.out.json(entries);
    const rows = entries.map(({ name, type, size, modified_at: at }) => [
      type === 'directory' ? '-' : size,
      ago(at),
      type === 'directory' ? `${name}/` : name,
    ]);
    this.out.table(['BYTES', 'CHANGED', 'NAME'], rows, 'Nothing there.');
  },
});

const cat = buildCommand({
  docs: {
    brief: 'Print a file of an agent',
    fullDescription: 'On a terminal without what would act on it; else its bytes.',
  },
  parameters: { flags: common, positional: { kind: 'tuple', parameters: [remoteArgument] } },
  async func(this: Cli, flags: Common, given: string) {
    const { agent, path } = remotePath(given);
    const { files } = await this.agent(flags, agent);
    const { stream } = await files.download(path);
    if (flags.json) return this.out.json({ path, content: await new Response(stream).text() });
    if (!this.out.isTerminal) return pipeline(nodeStream(stream), this.process.stdout, { end: false });
    for await (const piece of nodeStream(stream).setEncoding('utf8')) this.out.write(clean(String(piece)));
  },
});

const cp = buildCommand({
  docs: {
    brief: 'Copy a file to or from an agent, or a whole directory from it',
    fullDescription:
      'One of both is AGENT:PATH; "-" is stdin or stdout. A path that ends with / keeps the name of the file. ' +
      'AGENT: and AGENT:DIRECTORY are copied with all that is below them; links are left out.',
  },
  parameters: {
    flags: common,
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'From: a file here, or AGENT:PATH', placeholder: 'from', parse: String },
        { brief: 'To: AGENT:PATH, or a file here', placeholder: 'to', parse: String },
      ],
    },
  },
  async func(this: Cli, flags: Common, from: string, to: string) {
    const [source, target] = [maybeRemote(from), maybeRemote(to)];
    if ((source === undefined) === (target === undefined))
      throw new CliError(
        'one of both is a file here and one AGENT:PATH: roost files cp notes.txt my-agent:',
        EXIT.usage,
      );
    const copied = source
      ? await download(this, flags, source, to)
      : await upload(this, flags, from, target as RemotePath);
    if (flags.json) this.out.json(copied);
    else if (to !== '-')
      this.out.note(`${clean(copied.path)}${copied.size === undefined ? '' : `  ${copied.size} bytes`}`);
  },
});

async function upload(cli: Cli, flags: Common, from: string, { agent, path }: RemotePath) {
  const isStdin = from === '-';
  if (!isStdin && !(existsSync(from) && statSync(from).isFile()))
    throw new CliError(`${from} is no file here`, EXIT.usage);
  const keepsName = path === '' || path.endsWith('/');
  if (isStdin && keepsName) throw new CliError('name the file: roost files cp - AGENT:PATH', EXIT.usage);
  const { files } = await cli.agent(flags, agent);
  const content: AsyncIterable<Uint8Array> = isStdin ? cli.process.stdin : createReadStream(from);
  return files.write(keepsName ? path + basename(from) : path, content);
}

async function download(cli: Cli, flags: Common, { agent, path }: RemotePath, to: string) {
  const { files } = await cli.agent(flags, agent);
  const isWhole = path === '' || path.endsWith('/') || (await files.stat(path)).type === 'directory';
  if (isWhole) return downloadFolder(cli, files, path, to);
  const { stream, size } = await files.download(path);
  const isFolder = to.endsWith('/') || (existsSync(to) && statSync(to).isDirectory());
  // The agent names its files: only the last part of a path, and none that leads elsewhere.
  const name = basename(path);
  const target = isFolder ? join(to, name) : to;
  if (isFolder && (name === '' || name === '.' || name === '..')) throw new CliError('name the file', EXIT.usage);
  const sink: Writable = to === '-' ? cli.process.stdout : createWriteStream(target);
  await pipeline(nodeStream(stream), sink, { end: to !== '-' });
  return { path: target, size };
}

/** Into a folder of the directory's name where there is one with the given name, as of cp -r. */
async function downloadFolder(cli: Cli, files: Files, path: string, to: string) {
  if (to === '-') throw new CliError('a directory is copied into a folder here, not to stdout', EXIT.usage);
  if (existsSync(to) && !statSync(to).isDirectory()) throw new CliError(`${to} is no folder`, EXIT.usage);
  const name = basename(path.replace(/\/+$/, ''));
  const isBelow = existsSync(to) && name !== '' && name !== '.' && name !== '..';
  const folder = isBelow ? join(to, name) : to;
  const { skipped, bytes, files: count } = await copyFolder(files, path.replace(/\/+$/, ''), folder);
  for (const one of skipped) cli.out.note(`left out, since it is no file or leads elsewhere: ${clean(one)}`);
  return { path: folder, size: bytes, files: count };
}

const nodeStream = (stream: ReadableStream<Uint8Array>) => Readable.fromWeb(stream as NodeStream);

export const files = buildRouteMap({
  docs: { brief: 'The files of an agent' },
  routes: { ls, cat, cp, edit },
});
