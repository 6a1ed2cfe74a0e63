import { createServer } from 'node:net';
import { RoostError } from '#lib/contracts/errors';

/** A port nobody listens on at this moment. Not promised: that nobody takes it before you do. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return listenOnce(0, host);
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
