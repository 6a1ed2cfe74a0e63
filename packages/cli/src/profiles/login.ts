import { Roost } from '@roost-ai/sdk';
import { buildCommand } from '@stricli/core';
import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { type Cli, type Common, common, readAll } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { clean } from '../output/clean.js';
import { removeProfile, saveProfile } from './profiles.js';

interface LoginFlags extends Common {
  url: string;
  email?: string;
}

export const login = buildCommand({
  docs: {
    brief: 'Sign in to a Roost, and keep that in a profile',
    fullDescription:
      'Asks for an API key, or with --email for a password, for which an API key is made. Where there is no terminal the ' +
      'secret is read from stdin. A Roost that npm start runs in this folder needs no signing in.',
  },
  parameters: {
    flags: {
      ...common,
      url: { kind: 'parsed', parse: String, default: 'http://localhost:3000', brief: 'Where it listens' },
      email: { kind: 'parsed', parse: String, optional: true, brief: 'Sign in with a password' },
    },
  },
  async func(this: Cli, { url, email, json, profile: name = 'default' }: LoginFlags) {
    const secret = await ask(this, email === undefined ? 'API key: ' : `Password of ${clean(email)}: `);
    if (secret === '') throw new CliError('nothing was given', EXIT.usage);
    const apiKey = email === undefined ? secret : await keyFor(url, email, secret);
    await new Roost({ url, apiKey, retryForMs: 4_000 }).models();
    const file = saveProfile(name, { url, apiKey }, this.env);
    if (json) this.out.json({ profile: name, url, file });
    else this.out.line(`Signed in to ${clean(url)}. The key is in ${file}.`);
  },
});

export const logout = buildCommand({
  docs: { brief: 'Forget a profile; its API key stays valid until it is revoked' },
  parameters: { flags: common },
  func(this: Cli, { json, profile }: Common) {
    const gone = removeProfile(profile, this.env);
    if (json) this.out.json({ profile: gone });
    else this.out.line(`Profile "${gone}" is forgotten.`);
  },
});

async function keyFor(url: string, email: string, password: string): Promise<string> {
  const { token } = await new Roost({ url, retryForMs: 4_000 }).auth.login({ email, password });
  const made = await new Roost({ url, apiKey: token }).account.keys.create({
    name: `roost CLI on ${hostname()}`.slice(0, 100),
  });
  return made.key;
}

/** A line that is not shown while it is typed. */
async function ask({ process }: Cli, question: string): Promise<string> {
  if (process.stdin.isTTY !== true) return (await readAll(process.stdin)).trim();
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', (line) => resolve(line.trim()));
      lines.once('SIGINT', () => reject(new CliError('interrupted', EXIT.interrupted)));
      lines.once('close', () => resolve(''));
    });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
