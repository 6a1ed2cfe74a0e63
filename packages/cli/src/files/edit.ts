import { PreconditionFailedError } from '@roost-ai/sdk';
import { buildCommand } from '@stricli/core';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Cli, type Common, common } from '../cli.js';
import { CliError } from '../failure.js';
import { remotePath } from './paths.js';

export const edit = buildCommand({
  docs: {
    brief: 'Edit a file of an agent with $EDITOR',
    fullDescription:
      'Nothing is written when the file has changed meanwhile; your text is then kept and its place is printed.',
  },
  parameters: {
    flags: common,
    positional: { kind: 'tuple', parameters: [{ brief: 'AGENT:PATH', placeholder: 'agent:path', parse: String }] },
  },
  async func(this: Cli, flags: Common, given: string) {
    const { agent, path } = remotePath(given);
    const { files } = await this.agent(flags, agent);
    const download = await files.download(path);
    const folder = mkdtempSync(join(tmpdir(), 'roost-edit-'));
    const draft = join(folder, basename(path) || 'file');
    writeFileSync(draft, await download.bytes(), { mode: 0o600 });
    const before = readFileSync(draft);
    await runEditor(this, draft);
    const after = readFileSync(draft);
    if (before.equals(after)) {
      rmSync(folder, { recursive: true });
      return this.out.note('Nothing was changed.');
    }
    try {
      const written = await files.write(path, after, { ifMatch: download.etag });
      rmSync(folder, { recursive: true });
      if (flags.json) this.out.json(written);
      else this.out.note(`${written.path}  ${written.size} bytes`);
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
      throw new CliError(`the file has changed since you opened it, and was left alone; your text is in ${draft}`);
    }
  },
});

async function runEditor({ env }: Cli, file: string): Promise<void> {
  const [program = 'vi', ...args] = (env['VISUAL'] || env['EDITOR'] || 'vi').split(/\s+/);
  const child = spawn(program, [...args, file], { stdio: 'inherit' });
  const [code] = await once(child, 'exit').catch(() => {
    throw new CliError(`${program} cannot be run: set EDITOR`);
  });
  if (code !== 0)
    throw new CliError(`${program} ended with ${String(code)}; nothing was written, your text is in ${file}`);
}
