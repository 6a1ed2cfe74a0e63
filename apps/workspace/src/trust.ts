import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const systemBundle = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Writes down the certificates that commands shall trust: the system's and the installation's authority for the egress
 * proxy. For sandboxes of an image, into which nothing else can be laid; their commands find them by their environment.
 */
export async function writeTrust({ folder, certificate }: { folder: string; certificate: string }): Promise<void> {
  const system = await readFile(systemBundle, 'utf8').catch(() => '');
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await writeFile(join(folder, 'ca.pem'), certificate, { mode: 0o444 });
  await writeFile(join(folder, 'bundle.pem'), `${system.trimEnd()}\n${certificate}`, { mode: 0o444 });
}
