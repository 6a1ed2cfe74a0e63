import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { busOf } from './bus-of.js';
import { runCommand } from './commands.js';
import { rotateMasterKey } from './rotate-master-key.js';

const help = `What an operator does to accounts of a running Roost.

  roost admin account list
  roost admin account create EMAIL          makes a verified account; prints its password once
      --enable-agents                       with the AI-agents feature
      --password-file FILE                  the password is in FILE
  roost admin account enable-agents WHO     takes effect at once
  roost admin account disable-agents WHO
  roost admin account make-operator WHO     may see and change all accounts, by the API and the dashboard
  roost admin account remove-operator WHO   takes effect at once
  roost admin account link EMAIL ISSUER SUBJECT   a trusted issuer's subject signs in as this user
  roost admin account delete WHO --yes      with everything it owns, permanently
  roost admin account quota WHO             what the account may pile up, and how much it has
  roost admin account quota WHO QUOTA LIMIT its own limit: a count, 20Gi, or default; takes effect at once
  roost admin key create WHO [--name NAME]  prints the API key once
  roost admin key list WHO
  roost admin key revoke WHO KEY_ID         takes effect at once
  roost admin audit [WHO]                   who did what to which thing, newest first; of all accounts without WHO
      --actor, --action, --target, --from, --to  as in GET /v1/audit; --limit N, --cursor C
  roost admin master-key rotate             new master key at the next start; the old one is kept beside it

  WHO is an email, an account id, or "local", the account that npm start makes.
  --data DIR  the data folder (default ./.roost). NATS_URL and NATS_CREDS reach a Roost elsewhere.`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string', default: './.roost' },
      name: { type: 'string', default: 'admin' },
      'enable-agents': { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      'password-file': { type: 'string' },
      actor: { type: 'string' },
      action: { type: 'string' },
      target: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      limit: { type: 'string' },
      cursor: { type: 'string' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  const dataDir = resolve(values.data);
  if (values.help || positionals.length === 0) console.log(help);
  else if (positionals.join(' ') === 'master-key rotate') {
    rotateMasterKey(dataDir);
    console.log(`Restart Roost: every secret is then wrapped under the new key; the log says how many.
When it has, ${values.data}/previous-master-keys can be deleted. Backups made before still need it.`);
  } else {
    const passwordFile = values['password-file'];
    const { actor, action, target, from, to, limit, cursor } = values;
    const bus = await busOf(dataDir, process.env);
    try {
      const lines = await runCommand(bus, positionals, {
        name: values.name,
        enableAgents: values['enable-agents'],
        yes: values.yes,
        audit: { actor, action, target, from, to, limit, cursor },
        password: passwordFile === undefined ? undefined : readFileSync(passwordFile, 'utf8').trim(),
      });
      for (const line of lines) console.log(line);
    } finally {
      await bus.close();
    }
  }
} catch (error) {
  console.error(`Roost: ${error instanceof Error ? error.message : String(error)} See --help.`);
  process.exitCode = 1;
}
