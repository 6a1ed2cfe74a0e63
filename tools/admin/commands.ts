import { randomBytes, randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { ownCall } from '#lib/call-context';
import { requestOverNats } from '#lib/rpc';
import {
  type AdminAccount,
  createAccount,
  createAccountKey,
  deleteAccount,
  type AccountQuota,
  getAccountQuotas,
  listAccountKeys,
  linkIdentity,
  listAccounts,
  listAllAudit,
  type RequestContract,
  revokeAccountKey,
  QUOTA_NAMES,
  QuotaName,
  RoostError,
  setAccountQuota,
  setAgentsEnabled,
  setOperator,
} from '#lib/contracts';
import { readLimit } from '#lib/quotas';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';

export interface CommandOptions {
  name: string;
  enableAgents: boolean;
  /** That what cannot be undone is meant. */
  yes?: boolean;
  /** Of a new account; made when it is not given. */
  password?: string | undefined;
  /** Of `audit`: what is looked for. */
  audit?: Partial<Record<'actor' | 'action' | 'target' | 'from' | 'to' | 'limit' | 'cursor', string | undefined>>;
}

const PAGE = 100;
/** Whoever has the operator's credentials, by the name they are known by on this machine. */
const OPERATOR = { type: 'operator', id: userInfo().username } as const;

/** What `account …` and `key …` do. Gives the lines to print. Errors: VALIDATION_ERROR, those of the contracts. */
export async function runCommand(bus: NatsConnection, words: string[], options: CommandOptions): Promise<string[]> {
  const ask = <I extends z.ZodType, O extends z.ZodType>(contract: RequestContract<I, O>, input: z.output<I>) =>
    requestOverNats(bus, contract, input, {
      ...ownCall(`req_admin_${randomUUID()}`, contract.timeoutMs),
      actor: OPERATOR,
    });
  const [what = '', action = '', who = '', ...rest] = words;
  const command = `${what} ${action}`;
  if (what === 'audit') {
    const found = await ask(listAllAudit, auditQuery(action, options));
    return auditLines(found, await emails((number) => ask(listAccounts, { page: number, limit: PAGE })));
  }
  if (command === 'account list') return accounts((page) => ask(listAccounts, { page, limit: PAGE }));
  if (!COMMANDS.includes(command)) throw usage(`There is no command "${command.trim()}".`);
  if (who === '') throw usage(`"${command}" needs an account: an email, an account id or its name.`);

  switch (command) {
    case 'account create': {
      const password = options.password ?? randomBytes(18).toString('base64url');
      const checked = createAccount.input.safeParse({ email: who, password, agents_enabled: options.enableAgents });
      if (!checked.success) throw usage(`"${who}" is not an email, or the password is shorter than 8 characters.`);
      const account = await ask(createAccount, checked.data as z.output<typeof createAccount.input>);
      const shown = options.password === undefined ? [`password  ${password}   (shown this once)`] : [];
      return [lineOf(account), ...shown];
    }
    case 'account enable-agents':
    case 'account disable-agents':
      return [lineOf(await ask(setAgentsEnabled, { account: who, enabled: action === 'enable-agents' }))];
    case 'account make-operator':
    case 'account remove-operator':
      return [lineOf(await ask(setOperator, { account: who, isOperator: action === 'make-operator' }))];
    case 'account link': {
      const [issuer = '', subject = ''] = rest;
      const checked = linkIdentity.input.safeParse({ email: who, issuer, subject });
      if (!checked.success) throw usage('"account link" needs the email of a user, an issuer and a subject.');
      return [lineOf(await ask(linkIdentity, checked.data as z.output<typeof linkIdentity.input>))];
    }
    case 'account delete': {
      if (!options.yes) throw usage('"account delete" takes everything that the account owns: say --yes.');
      const { accountId } = await ask(deleteAccount, { account: who });
      return [`${accountId} is deleted`];
    }
    case 'account quota': {
      const [name, limit] = rest;
      if (name === undefined) return quotaLines(await ask(getAccountQuotas, { account: who }));
      return quotaLines(await ask(setAccountQuota, { account: who, ...changeOf(name, limit) }));
    }
    case 'key create': {
      const { id, key } = await ask(createAccountKey, { account: who, name: options.name });
      return [`key       ${key}   (shown this once)`, `key id    ${id}`];
    }
    case 'key list': {
      const { keys } = await ask(listAccountKeys, { account: who });
      return keys.map(
        ({ id, prefix, name, lastUsedAt }) =>
          `${id}  ${prefix}…  last used ${lastUsedAt?.toISOString() ?? 'never'}  ${name}`,
      );
    }
    default: {
      const [keyId = ''] = rest;
      const checked = revokeAccountKey.input.safeParse({ account: who, key_id: keyId });
      if (!checked.success) throw usage('"key revoke" needs the account and the key id that "key list" shows.');
      const { id } = await ask(revokeAccountKey, checked.data as z.output<typeof revokeAccountKey.input>);
      return [`${id} is revoked`];
    }
  }
}

const COMMANDS = [
  'account create',
  'account enable-agents',
  'account disable-agents',
  'account make-operator',
  'account remove-operator',
  'account link',
  'account delete',
  'account quota',
  'key create',
  'key list',
  'key revoke',
];

function auditQuery(account: string, { audit = {} }: CommandOptions): z.output<typeof listAllAudit.input> {
  const { limit, ...filters } = audit;
  const checked = listAllAudit.input.safeParse({
    ...filters,
    ...(account === '' ? {} : { account }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  });
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw usage(`--${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`);
}

function auditLines(
  { records, nextCursor }: z.output<typeof listAllAudit.output>,
  emailOf: Map<string, string>,
): string[] {
  const lines = records.map(({ at, accountId, actor, action, target, fields }) =>
    [
      at.toISOString(),
      accountId === null ? '-' : (emailOf.get(accountId) ?? accountId),
      `${actor.type}:${actor.id}`,
      action,
      `${target.type}:${target.id}`,
      fields.join(','),
    ]
      .join('  ')
      .trimEnd(),
  );
  return nextCursor === null ? lines : [...lines, `more with --cursor ${nextCursor}`];
}

/** The first email of each account, by its id. */
async function emails(page: (number: number) => Promise<{ accounts: AdminAccount[] }>): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let number = 1; ; number += 1) {
    const { accounts: some } = await page(number);
    for (const {
      accountId,
      emails: [email],
      name,
    } of some)
      found.set(accountId, email ?? name);
    if (some.length < PAGE) return found;
  }
}

async function accounts(page: (number: number) => Promise<{ accounts: AdminAccount[] }>): Promise<string[]> {
  const lines: string[] = [];
  for (let number = 1; ; number += 1) {
    const { accounts: found } = await page(number);
    lines.push(...found.map(lineOf));
    if (found.length < PAGE) return lines;
  }
}

function changeOf(name: string, limit: string | undefined) {
  const quota = QuotaName.safeParse(name);
  if (!quota.success) throw usage(`There is no quota "${name}"; there are: ${QUOTA_NAMES.join(', ')}.`);
  const amount = limit === 'default' ? null : readLimit(limit ?? '');
  if (amount === undefined)
    throw usage(`"account quota" needs a limit after ${name}: a count, a quantity like 20Gi, or "default".`);
  return { quota: quota.data, limit: amount };
}

const quotaLines = ({ quotas }: { quotas: AccountQuota[] }) =>
  quotas.map(({ name, limit, used }) => `${name.padEnd(18)} ${used ?? 'unknown'} of ${limit}`);

const lineOf = ({ accountId, name, emails, agentsEnabled, isOperator, keyCount }: AdminAccount) =>
  `${accountId}  ${emails.join(', ') || name}  agents ${agentsEnabled ? 'enabled' : 'disabled'}  ${keyCount} keys${isOperator ? '  operator' : ''}`;

const usage = (message: string) => new RoostError('VALIDATION_ERROR', message);
