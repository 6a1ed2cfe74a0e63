import { createHash, X509Certificate } from 'node:crypto';

/** Where a system has its certificates, in one file and for Java. */
export const systemBundle = '/etc/ssl/certs/ca-certificates.crt';
export const systemJavaStore = '/etc/ssl/certs/java/cacerts';

/** Where sandboxes have theirs: shown read-only by local drivers, else written by the daemon (apps/workspace/src/trust.ts). */
export const trustInside = '/run/roost/trust';
export const trustWritten = '/tmp/.roost-trust';

/**
 * What programs look for certificates by that do not read the system's: each names a file with all of them, the
 * installation's authority for the egress process among them.
 */
export function trustEnvironment(folder: string): Record<string, string> {
  const bundle = `${folder}/bundle.pem`;
  return {
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
    GIT_SSL_CAINFO: bundle,
    PIP_CERT: bundle,
    CARGO_HTTP_CAINFO: bundle,
    AWS_CA_BUNDLE: bundle,
    // Besides Node's own.
    NODE_EXTRA_CA_CERTS: `${folder}/ca.pem`,
  };
}

const javaMagic = 0xfeedfeed;
const javaVersion = 2;
const trustedEntry = 2;
/** Java's own for stores that hold nothing secret; part of the format's digest besides a constant (JavaKeyStore). */
const javaPassword = 'changeit';
const javaSalt = 'Mighty Aphrodite';

/** The certificates of a PEM bundle in the format of Java's `cacerts` (JKS), which all its versions read. */
export function javaStoreOf(bundle: string): Buffer {
  const pems = bundle.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g) ?? [];
  const entries = pems.map((pem, at) => {
    const { raw } = new X509Certificate(pem);
    const date = Buffer.alloc(8);
    return Buffer.concat([uint32(trustedEntry), utf(`roost-${at}`), date, utf('X.509'), uint32(raw.length), raw]);
  });
  const content = Buffer.concat([uint32(javaMagic), uint32(javaVersion), uint32(entries.length), ...entries]);
  const digest = createHash('sha1')
    .update(Buffer.from(javaPassword, 'utf16le').swap16())
    .update(javaSalt)
    .update(content)
    .digest();
  return Buffer.concat([content, digest]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function utf(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
