import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hour = 3_600_000;
const validMs = 22 * hour;
/** For a sandbox whose clock is behind. */
const beforeMs = hour;
const renewMs = 2 * hour;
/** Hosts that agents use at once; a certificate more costs about a millisecond. */
const maxCached = 1_000;

/** Signs for sandboxes, PEM: the key in PKCS #8. */
export interface Authority {
  certificate: string;
  key: string;
}

/** Certificates of hosts, for TLS with sandboxes: made when a host is first asked for, for less than a day. */
export class Leaves {
  private readonly cached = new Map<string, { context: Promise<SecureContext>; endsAt: number }>();
  private readonly issuer: X509Certificate;
  private readonly issuerKey: Promise<webcrypto.CryptoKey>;

  constructor(private readonly authority: Authority) {
    this.issuer = new X509Certificate(authority.certificate);
    const der = createPrivateKey(authority.key).export({ type: 'pkcs8', format: 'der' });
    this.issuerKey = webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
  }

  of(host: string): Promise<SecureContext> {
    const found = this.cached.get(host);
    if (found && found.endsAt - renewMs > Date.now()) return found.context;
    const made = { context: this.make(host), endsAt: Date.now() + validMs };
    made.context.catch(() => this.cached.delete(host));
    this.cached.delete(host);
    this.cached.set(host, made);
    const [oldest] = this.cached.keys();
    if (this.cached.size > maxCached && oldest !== undefined) this.cached.delete(oldest);
    return made.context;
  }

  private async make(host: string): Promise<SecureContext> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const serial = randomBytes(16);
    serial[0] = (serial[0] ?? 0) & 0x7f;
    const leaf = await X509CertificateGenerator.create({
      serialNumber: serial.toString('hex'),
      subject: 'CN=Roost egress',
      issuer: this.issuer.subject,
      notBefore: new Date(Date.now() - beforeMs),
      notAfter: new Date(Date.now() + validMs),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: await this.issuerKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension([{ type: isIP(host) ? 'ip' : 'dns', value: host }]),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(this.issuer.publicKey),
      ],
    });
    const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
    return createSecureContext({
      cert: `${leaf.toString('pem')}\n${this.authority.certificate}`,
      key,
      minVersion: 'TLSv1.2',
    });
  }
}
