import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { specOf } from '../../apps/agent-lifecycle/test/drivers/driver-under-test.js';
import {
  bubblewrapRuntime,
  type LocalDriverFixture,
  localDriverFixture,
} from '../../apps/agent-lifecycle/test/drivers/local/local-driver-fixture.js';
import { type Egress, grant, startEgress, zone } from './egress-fixture.js';
import { type Hosts, startHosts } from './hosts.js';
import { gitHost } from './git-host.js';

/** Programs as agents run them, in a sandbox, against hosts whose certificates only the egress process can verify. */
let hosts: Hosts;
let egress: Egress;
let fixture: LocalDriverFixture;
let agentId: string;
let api: string;
let token: string;
const folder = mkdtempSync(join(tmpdir(), 'roost-egress-git-'));
const git = gitHost(folder);

beforeAll(async () => {
  hosts = await startHosts((request, response) => {
    if (request.url?.startsWith('/repo.git')) return git(request, response, () => token);
    response.writeHead(200, { 'content-type': 'text/plain' }).end(String(request.headers['authorization']));
  });
  egress = await startEgress(hosts);
  api = `api.${zone}:${hosts.port}`;
  const one = grant([api]);
  token = one.credential.kind === 'bearer' ? one.credential.token : '';
  fixture = await localDriverFixture(await bubblewrapRuntime(), egress.driverOptions);
  agentId = randomUUID();
  await egress.grant(agentId, [one]);
  await fixture.driver.ensure({
    ...specOf({ agentId, env: { TOKEN: one.placeholder ?? '', API: `https://${api}` } }),
    network: { mode: 'public' },
  });
});
afterAll(async () => {
  await fixture?.close();
  await egress?.close();
  hosts?.close();
  rmSync(folder, { recursive: true, force: true });
});

const seen = () => hosts.arrivals.at(-1)?.headers['authorization'];
const has = async (program: string) => (await fixture.run(agentId, `command -v ${program}`)).exitCode === 0;

describe('in a sandbox', () => {
  it.each([
    ['curl', `curl -sS -H "Authorization: Bearer $TOKEN" $API/curl`],
    [
      'python3',
      `python3 -c "import os, urllib.request as u; print(u.urlopen(u.Request(os.environ['API'], headers={'Authorization': 'Bearer ' + os.environ['TOKEN']})).read().decode())"`,
    ],
    [
      'node',
      `node -e "fetch(process.env.API, { headers: { authorization: 'Bearer ' + process.env.TOKEN } }).then((r) => r.text()).then(console.log)"`,
    ],
    [
      'java',
      `cat > T.java <<'END'
import java.net.*;
public class T { public static void main(String[] a) throws Exception {
  var c = new URL(System.getenv("API")).openConnection();
  c.setRequestProperty("Authorization", "Bearer " + System.getenv("TOKEN"));
  System.out.println(new String(c.getInputStream().readAllBytes())); } }
END
java T.java`,
    ],
  ])('%s has its placeholder replaced, and trusts the certificate that it is shown', async (program, command) => {
    if (!(await has(program))) return console.warn(`skipped: there is no ${program} here`);
    const { stdout, stderr, exitCode } = await fixture.run(agentId, command, { timeoutMs: 60_000 });
    expect({ exitCode, stdout, stderr: exitCode ? stderr : '' }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('[roost: removed]'),
    });
    expect(seen()).toBe(`Bearer ${token}`);
    expect(stdout).not.toContain(token);
  });

  it('Requests for Python verifies by its own list, and has its placeholder replaced', async () => {
    // pip brings it along where it is not installed by itself.
    const load = `python3 -c "
try:
    import requests
except ImportError:
    from pip._vendor import requests
import os
print(requests.get(os.environ['API'], headers={'Authorization': 'Bearer ' + os.environ['TOKEN']}, timeout=30).text)"`;
    if (!(await has('python3'))) return console.warn('skipped: there is no python3 here');
    const { stdout, stderr, exitCode } = await fixture.run(agentId, load, { timeoutMs: 60_000 });
    if (/No module named/.test(stderr)) return console.warn('skipped: there is no Requests here');
    expect({ exitCode, stderr: exitCode ? stderr : '' }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('[roost: removed]');
    expect(seen()).toBe(`Bearer ${token}`);
  });

  it('git clones and pushes with the placeholder as a password', async () => {
    if (!(await has('git'))) return console.warn('skipped: there is no git here');
    const { stderr, exitCode } = await fixture.run(
      agentId,
      `set -e; url=$(echo $API | sed "s#https://#https://x-access-token:$TOKEN@#")
       git clone -q $url/repo.git work; cd work; git config user.email a@example.org; git config user.name a
       echo one > one; git add one; git commit -qm one; git push -q origin HEAD:main; cd ..; git clone -q $url/repo.git again; cat again/one`,
      { timeoutMs: 60_000 },
    );
    expect({ exitCode, stderr: exitCode ? stderr : '' }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('pip and npm reach a registry by HTTPS', async () => {
    for (const [program, command] of [
      ['npm', `npm view --registry $API/ thing --//api.${zone}:${hosts.port}/:_authToken=$TOKEN 2>&1 | head -3`],
      ['pip', `pip --disable-pip-version-check download --no-deps --index-url $API/simple thing 2>&1 | tail -3`],
    ] as const) {
      if (!(await has(program))) {
        console.warn(`skipped: there is no ${program} here`);
        continue;
      }
      const before = hosts.arrivals.length;
      const { stdout } = await fixture.run(agentId, command, { timeoutMs: 60_000 });
      expect(hosts.arrivals.length, `${program}: ${stdout}`).toBeGreaterThan(before);
      if (program === 'npm') expect(seen()).toBe(`Bearer ${token}`);
    }
  });
});
