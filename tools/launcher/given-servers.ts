import { connect } from 'node:net';
import type { Environment } from '#lib/config';
import { RoostError } from '#lib/contracts/errors';

/** Servers of the user's that start together with us get this long to be there. */
const patienceMs = 8_000;
const attemptMs = 3_000;
const retryMs = 250;

/** What PostgreSQL answers to who asks whether it supports TLS; any server of it answers one byte. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Checks whether the servers that DATABASE_URL and NATS_URL name are there, before anything is started.
 * Errors: VALIDATION_ERROR (no such address), SERVICE_UNAVAILABLE (nobody answers there for 8 s), naming the variable and
 * the host, never the rest of the value, which holds a password.
 */
export async function checkGivenServers({ DATABASE_URL, NATS_URL }: Environment): Promise<void> {
  await Promise.all([
    DATABASE_URL ? checkDatabase(DATABASE_URL) : undefined,
    NATS_URL ? checkBus(NATS_URL) : undefined,
  ]);
}

async function checkDatabase(value: string): Promise<void> {
  const url = parse(value);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) throw malformed('DATABASE_URL', 'postgres://USER@HOST:5432/NAME');
  // By a socket's folder, or libpq's ways of naming a host: its users know what they do, the services report the rest.
  if (url.hostname === '' || url.searchParams.has('host')) return;
  const isPostgres = (answer: Buffer) => ['S', 'N', 'E'].includes(answer.toString('latin1', 0, 1));
  await reach('DATABASE_URL', 'PostgreSQL', [{ url, defaultPort: 5432 }], isPostgres, sslRequest);
}

async function checkBus(value: string): Promise<void> {
  const urls = value.split(',').map((one) => parse(one.includes('://') ? one.trim() : `nats://${one.trim()}`));
  const found = urls.filter((url) => url !== undefined && url.hostname !== '' && /^(nats|tls):$/.test(url.protocol));
  if (found.length < urls.length) throw malformed('NATS_URL', 'nats://HOST:4222');
  const servers = found.flatMap((url) => (url ? [{ url, defaultPort: 4222 }] : []));
  await reach('NATS_URL', 'NATS', servers, (answer) => answer.toString('latin1', 0, 5) === 'INFO ');
}

interface Address {
  url: URL;
  defaultPort: number;
}

/** Resolves when one of them answers as its kind does. */
async function reach(
  variable: string,
  kind: string,
  addresses: Address[],
  isKind: (answer: Buffer) => boolean,
  question?: Buffer,
): Promise<void> {
  let reason = '';
  for (const deadline = Date.now() + patienceMs; ;) {
    for (const { url, defaultPort } of addresses) {
      const host = url.hostname.replace(/^\[|\]$/g, '');
      const port = Number(url.port || defaultPort);
      const answer = await ask(host, port, question);
      if (Buffer.isBuffer(answer) && isKind(answer)) return;
      const what = Buffer.isBuffer(answer) ? `what answers there is not ${kind}` : answer;
      reason = `No ${kind} answers at ${url.hostname}:${port} (${what}).`;
    }
    if (Date.now() + retryMs > deadline)
      throw new RoostError('SERVICE_UNAVAILABLE', `${variable}: ${reason} Start it, or unset ${variable}.`);
    await new Promise((done) => setTimeout(done, retryMs));
  }
}

/** The first bytes that come, or why none did. */
function ask(host: string, port: number, question: Buffer | undefined): Promise<Buffer | string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: Buffer | string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end('no answer'), attemptMs);
    socket.once('connect', () => question && socket.write(question));
    socket.once('data', end);
    socket.once('error', (error) => end('code' in error ? String(error.code) : error.message));
    socket.once('close', () => end('it hangs up'));
  });
}

function parse(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}

function malformed(variable: string, example: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `${variable} is not an address such as ${example}.`);
}
