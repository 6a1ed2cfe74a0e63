import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { RoostError } from '#lib/contracts/errors';

const LOWEST_PORT = 10_000;
/** Where the system's own choice begins, unless it is set otherwise. */
const FIRST_EPHEMERAL = 32_768;
const TRIES = 100;

/**
 * A port that nobody listens on. It is none that the system gives to connections and to who asks for any: such a one
 * would often be taken again before you listen on it. Not promised: that nobody else chooses the same.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const end = firstEphemeralPort();
  for (let tries = 0; tries < TRIES && end > LOWEST_PORT; tries += 1) {
    try {
      return await listenOnce(randomInt(LOWEST_PORT, end), host);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    }
  }
  return listenOnce(0, host);
}

function firstEphemeralPort(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10) || FIRST_EPHEMERAL;
  } catch {
    return FIRST_EPHEMERAL;
  }
}

/** Errors: CONFLICT when the port is taken or not ours to take, VALIDATION_ERROR when the host is none of this machine's. */
export async function assertPortIsFree(port: number, host: string): Promise<void> {
  try {
    await listenOnce(port, host);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') {
      throw new RoostError('CONFLICT', `Port ${port} on ${host} is in use. Choose another with --port.`);
    }
    if (code === 'EACCES') {
      throw new RoostError(
        'CONFLICT',
        `Port ${port} needs more rights than this user has. Choose one above 1023 with --port.`,
      );
    }
    throw new RoostError(
      'VALIDATION_ERROR',
      `Cannot listen on ${host}:${port} (${String(code)}). Choose another address with --host.`,
    );
  }
}

function listenOnce(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const taken = typeof address === 'object' && address ? address.port : port;
      server.close(() => resolve(taken));
    });
  });
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
