import { isIP } from 'node:net';
import { connect, createSecureContext, getCACertificates, type SecureContext, type TLSSocket } from 'node:tls';
import { guardedConnect, type GuardPolicy, type Destination } from '#lib/net-guard';

export type Protocol = 'h2' | 'http/1.1';

const handshakeMs = 10_000;

/** The certificate of a host, or what else its TLS brings, is not to be trusted: nothing may be sent to it. */
export class Untrusted extends Error {
  override readonly name = 'Untrusted';
}

/** Node's own certificates, the operator's from NODE_EXTRA_CA_CERTS, and the system's: read while the process may read files. */
export function trustedCertificates(): SecureContext {
  const ca = [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  return createSecureContext({ ca, minVersion: 'TLSv1.2' });
}

/**
 * A TLS connection to a host whose address the guard allows and whose certificate is checked.
 * Errors: `isBlocked`, `Untrusted`, else the socket's own.
 */
export async function connectUpstream(
  { host, port }: Destination,
  protocols: Protocol[],
  { guard, trust }: { guard: GuardPolicy; trust: SecureContext | undefined },
): Promise<TLSSocket> {
  const socket = await guardedConnect({ host, port }, guard);
  socket.setNoDelay(true);
  return new Promise((resolve, reject) => {
    const name = host.replace(/\.$/, '');
    const remote = connect({
      socket,
      host: name,
      ...(isIP(name) ? {} : { servername: name }),
      ALPNProtocols: protocols,
      ...(trust ? { secureContext: trust } : {}),
    });
    const timer = setTimeout(() => remote.destroy(new Error('no TLS in time')), handshakeMs);
    remote.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const code = error.code ?? '';
      const isCertificate = /CERT|ALTNAME|SIGNATURE|ISSUER|SELF_SIGNED|CHAIN/.test(code);
      reject(isCertificate ? new Untrusted(`the certificate of ${host} cannot be verified (${code})`) : error);
    });
    remote.once('secureConnect', () => {
      clearTimeout(timer);
      remote.removeAllListeners('error');
      remote.on('error', () => undefined); // 'close' follows
      resolve(remote);
    });
  });
}
