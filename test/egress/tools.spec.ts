import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { specOf } from '../../apps/agent-lifecycle/test/drivers/driver-under-test.js';
import {
  bubblewrapRuntime,
  type LocalDriverFixture,
  localDriverFixture,
} from '../../apps/agent-lifecycle/test/drivers/local/local-driver-fixture.js';
import { processesOf, residentBytes } from '../../bench/runner/processes.js';
import { startBulkHost } from './bulk-host.js';
import { type Egress, grant, startEgress, zone } from './egress-fixture.js';
import { type Hosts, startHosts } from './hosts.js';
import { gitHost } from './git-host.js';
import { packageHost } from './package-host.js';

/** Programs as agents run them, in a sandbox, against hosts whose certificates only the egress process can verify. */
let hosts: Hosts;
let egress: Egress;
let fixture: LocalDriverFixture;
let agentId: string;
let api: string;
let token: string;
const folder = mkdtempSync(join(tmpdir(), 'roost-egress-git-'));
const git = gitHost(folder);
const packages = packageHost();

beforeAll(async () => {
  hosts = await startHosts((request, response) => {
    if (request.url?.startsWith('/repo.git')) return git(request, response, () => token);
    if (/^\/(npm|pip)\//.test(request.url ?? '')) return packages(request, response, { token, host: api });
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

/** Of a program on a busy machine: a compiler of Java takes as long as all the others. */
const patienceMs = 110_000;
const seen = () => hosts.arrivals.at(-1)?.headers['authorization'];

/** What has the program, of those that run here before any test of Roost can: a machine without them is set up wrongly. */
const install = { curl: 'curl', git: 'git', node: 'nodejs', npm: 'npm' };
/** And of those that a machine may lack: their tests are skipped aloud, and fail where everything is to be tried. */
const optional = { python3: 'python3', pip: 'python3-pip', java: 'default-jdk-headless' };

async function need(program: keyof typeof install | keyof typeof optional, { skip }: TestContext): Promise<void> {
  if ((await fixture.run(agentId, `command -v ${program}`)).exitCode !== 0) absent(program, skip);
}
function absent(program: keyof typeof install | keyof typeof optional, skip: TestContext['skip']): void {
  const { [program]: name } = { ...install, ...optional };
  const reason = `there is no ${program} for sandboxes here: apt-get install ${name}`;
  if (program in install || process.env['ROOST_FULL']) throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  skip(reason);
}

describe('in a sandbox', () => {
  it.for([
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
  ] as const)(
    '%s has its placeholder replaced, and trusts the certificate that it is shown',
    async ([program, command], context) => {
      await need(program, context);
      const { stdout, stderr, exitCode } = await fixture.run(agentId, command, { timeoutMs: patienceMs });
      expect({ exitCode, stdout, stderr: exitCode ? stderr : '' }).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('[roost: removed]'),
      });
      expect(seen()).toBe(`Bearer ${token}`);
      expect(stdout).not.toContain(token);
    },
  );

  it('Requests for Python verifies by its own list, and has its placeholder replaced', async (context) => {
    // pip brings it along where it is not installed by itself.
    const load = `python3 -c "
try:
    import requests
except ImportError:
    from pip._vendor import requests
import os
print(requests.get(os.environ['API'], headers={'Authorization': 'Bearer ' + os.environ['TOKEN']}, timeout=30).text)"`;
    await need('python3', context);
    const { stdout, stderr, exitCode } = await fixture.run(agentId, load, { timeoutMs: patienceMs });
    if (/No module named/.test(stderr)) absent('pip', context.skip);
    expect({ exitCode, stderr: exitCode ? stderr : '' }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('[roost: removed]');
    expect(seen()).toBe(`Bearer ${token}`);
  });

  it('git clones and pushes with the placeholder as a password', async (context) => {
    await need('git', context);
    const { stderr, exitCode } = await fixture.run(
      agentId,
      `set -e; url=$(echo $API | sed "s#https://#https://x-access-token:$TOKEN@#")
       git clone -q $url/repo.git work; cd work; git config user.email a@example.org; git config user.name a
       echo one > one; git add one; git commit -qm one; git push -q origin HEAD:main; cd ..; git clone -q $url/repo.git again; cat again/one`,
      { timeoutMs: patienceMs },
    );
    expect({ exitCode, stderr: exitCode ? stderr : '' }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('npm installs a package from a registry that wants its token', async (context) => {
    await need('npm', context);
    const { stdout, stderr, exitCode } = await fixture.run(
      agentId,
      `set -e; mkdir -p npm; cd npm; echo '{}' > package.json; echo "//\${API#https://}/npm/:_authToken=$TOKEN" > .npmrc
       npm install --no-audit --no-fund --no-update-notifier --registry $API/npm/ thing; node -p "require('thing')"`,
      { timeoutMs: patienceMs },
    );
    expect({ exitCode, stderr: exitCode ? stderr : '' }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('installed by npm');
  });

  it('pip installs a package from an index that wants its password', async (context) => {
    await need('pip', context);
    const { stdout, stderr, exitCode } = await fixture.run(
      agentId,
      `set -e; index=$(echo $API | sed "s#https://#https://x-access-token:$TOKEN@#")/pip/simple/
       pip install -q --disable-pip-version-check --no-deps --target pip --index-url $index thing
       PYTHONPATH=pip python3 -c "import thing; print(thing.said)"`,
      { timeoutMs: patienceMs },
    );
    expect({ exitCode, stderr: exitCode ? stderr : '' }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('installed by pip');
  });

  it('curl sends and fetches 128 MiB, and the egress process never holds a whole body', async (context) => {
    await need('curl', context);
    const mebibyte = 2 ** 20;
    const bytes = 128 * mebibyte;
    const host = await startBulkHost({ authority: hosts.authority, name: `bulk.${zone}` });
    const resident = () => Math.max(...processesOf(process.pid, 'egress-proxy.mjs').map(residentBytes));
    try {
      const one = grant([host.host]);
      const other = randomUUID();
      await egress.grant(other, [one]);
      const env = { TOKEN: one.placeholder ?? '', API: `https://${host.host}` };
      await fixture.driver.ensure({ ...specOf({ agentId: other, env }), network: { mode: 'public' } });
      const curl = `curl -sS -H "Authorization: Bearer $TOKEN"`;
      const run = (command: string) => fixture.run(other, command, { timeoutMs: patienceMs });
      // The first request of a process loads what all others need too.
      expect((await run(`${curl} "$API/?bytes=10" | wc -c`)).stdout.trim()).toBe('10');
      const before = resident();
      let peak = before;
      const watch = setInterval(() => (peak = Math.max(peak, resident())), 20);
      // Text is looked through, other bodies of this size pass as they are.
      for (const type of ['text/plain', 'application/octet-stream'])
        expect((await run(`${curl} "$API/?bytes=${bytes}&type=${type}" | wc -c`)).stdout.trim()).toBe(String(bytes));
      const sent = await run(`head -c ${bytes} /dev/zero | ${curl} -T - "$API/"`);
      clearInterval(watch);
      expect(sent.stdout.trim()).toBe(String(bytes));
      // V8 lets buffers of 64 MiB lie before it collects them.
      expect(peak - before).toBeLessThan(100 * mebibyte);
    } finally {
      host.close();
    }
  }, 400_000);
});
