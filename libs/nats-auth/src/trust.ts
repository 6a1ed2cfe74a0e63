import { encodeAccount, encodeOperator, type Account } from '@nats-io/jwt';
import { createAccount as newAccountKey, createOperator, type KeyPair } from '@nats-io/nkeys';
import { native } from './keys/index.js';

/** An account: what its users publish is seen by its users only. Streams belong to one account. */
export interface BusAccount {
  name: string;
  publicKey: string;
  /** Signed by the operator; the server's resolver must know it. Not a secret. */
  jwt: string;
  /** Secret: whoever holds it makes users of this account. */
  seed: string;
}

export interface BusTrust {
  /** The `operator` of the server's configuration. Not a secret. */
  operatorJwt: string;
  /** Secret: signs further accounts. */
  operatorSeed: string;
  /** The server's own account (monitoring, advisories); no service uses it. */
  systemAccount: BusAccount;
  accounts: BusAccount[];
}

// jwt.js writes no defaults for accounts, and the server reads an absent limit as 0, which forbids everything.
const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const jetStream = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** Makes an operator, its system account and one account with JetStream per name. */
export async function createTrust(accountNames: string[]): Promise<BusTrust> {
  const operator = native(createOperator());
  const systemAccount = await signAccount(operator, 'SYS', { limits: unlimited });
  const operatorJwt = await encodeOperator('roost', operator, { system_account: systemAccount.publicKey });
  const operatorSeed = textOf(operator.getSeed());
  const accounts: BusAccount[] = [];
  for (const name of accountNames) accounts.push(await createAccount(operator, name));
  return { operatorJwt, operatorSeed, systemAccount, accounts };
}

/** Makes one account with JetStream, signed by the operator. */
export function createAccount(operator: KeyPair, name: string): Promise<BusAccount> {
  return signAccount(operator, name, { limits: { ...unlimited, ...jetStream } });
}

async function signAccount(operator: KeyPair, name: string, claims: Partial<Account>): Promise<BusAccount> {
  const account = native(newAccountKey());
  const jwt = await encodeAccount(name, account, claims, { signer: operator });
  return { name, publicKey: account.getPublicKey(), jwt, seed: textOf(account.getSeed()) };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
