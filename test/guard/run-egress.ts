import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRoost, startTestServers, type TestRoost, until } from '#lib/testing';
import { openClosedNetwork } from '../closed-network/closed-network.js';
import { hosts } from './sites.js';

interface Agent {
  id: string;
}
interface Answer {
  replies: { content: string }[];
}
interface Log {
  entries: { host: string; method: string; port: number; verdict: string; reason: string | null }[];
}

export interface EgressReport {
  /** What a command of an agent of each mode printed. */
  outputs: Record<string, string>;
  logs: Record<'public' | 'allowlist' | 'none', Log['entries']>;
  packetsOutside: number;
  deniedConnections: number;
}

/** `full` runs the package managers and git too; without one of them it fails. */
const isFull = process.argv[2] === 'full';

/** A whole Roost in a closed network: agents of each network mode run the usual programs in their sandboxes. */
const folder = mkdtempSync(join(tmpdir(), 'sites-'));
process.env.ROOST_CLOSED_SITES = folder;
makeRepository();
const network = await openClosedNetwork({
  open: Object.values(hosts).flatMap(([, address]) => (address === hosts.inside[1] ? [] : [address])),
  names: Object.fromEntries(Object.values(hosts).map(([name, address]) => [name, [[address]]])),
  certificateHosts: Object.values(hosts).map(([name]) => name),
  certificateFile: join(folder, 'ca.pem'),
  sites: new URL('sites.js', import.meta.url),
});
const certificate = readFileSync(join(folder, 'ca.pem'), 'utf8');
const servers = await startTestServers();
const roost = await startRoost();
const outputs: Record<string, string> = {};
try {
  const logs = { public: await tryPublic(roost), allowlist: await tryAllowlist(roost), none: await tryNone(roost) };
  const report: EgressReport = {
    outputs,
    logs,
    packetsOutside: network.deniedPackets().outside,
    deniedConnections: (await network.connections()).denied,
  };
  console.log(JSON.stringify(report));
} finally {
  await roost.stop();
  await servers.stop();
  await network.close();
}
process.exit(0);

async function tryPublic(target: TestRoost): Promise<Log['entries']> {
  const agent = await agentWith(target, { mode: 'public' });
  const { web, git, inside } = hosts;
  await agent.run('curl plain', `curl -sS http://${web[0]}/plain`);
  await agent.run('curl tls', `curl -sS https://${web[0]}/tls -d x=1`);
  await agent.run('curl other port', `curl -sS http://${web[0]}:8080/`);
  await agent.run('curl inside', `curl -sS http://${inside[0]}/; curl -sS https://${inside[0]}/ 2>&1`);
  await agent.run('curl metadata', 'curl -sS http://169.254.169.254/latest/meta-data/');
  await agent.run('curl past the proxy', `curl -sS --noproxy '*' --max-time 3 http://${web[1]}/ 2>&1`);
  if (isFull) {
    await agent.run('npm', `npm install --no-audit --no-fund greeting >&2 && node -p "require('greeting')"`);
    await agent.run('npx', 'npx --yes greeting');
    const initialize = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a', version: '1' } },
    });
    await agent.run('npx of an MCP server', `echo '${initialize}' | npx --yes greeting-mcp`);
    await agent.run('pip', 'pip install -q greeting >&2; python3 -c "import greeting; print(greeting.text)"');
    await agent.run('git', `git clone -q https://${git[0]}/greeting.git && cat greeting/README`);
  }
  return agent.log();
}

async function tryAllowlist(target: TestRoost): Promise<Log['entries']> {
  const agent = await agentWith(target, { mode: 'allowlist', allow: [hosts.web[0], `*.closed-sites.org:8080`] });
  await agent.run('allowlist: on it', `curl -sS http://${hosts.web[0]}/ok; curl -sS https://${hosts.web[0]}/ok`);
  await agent.run('allowlist: not on it', `curl -sS -w '%{http_code}' http://${hosts.npm[0]}/greeting`);
  await agent.run(
    'allowlist: not on it, tls',
    `curl -sS -o /dev/null -w '%{http_connect}' https://${hosts.npm[0]}/ 2>/dev/null`,
  );
  await agent.run(
    'allowlist: wildcard and port',
    `curl -sS http://${hosts.git[0]}:8080/nothing -o /dev/null -w '%{http_code}'`,
  );
  await agent.run('allowlist: inside all the same', `curl -sS http://${hosts.inside[0]}:8080/`);
  return agent.log();
}

async function tryNone(target: TestRoost): Promise<Log['entries']> {
  const agent = await agentWith(target, { mode: 'none' });
  await agent.run('none', `curl -sS -w '%{http_code}' http://${hosts.web[0]}/`);
  await agent.run('none, tls', `curl -sS -o /dev/null -w '%{http_connect}' https://${hosts.web[0]}/ 2>/dev/null`);
  return agent.log();
}

/** An agent of this network mode, whose programs trust the closed network's certificate and know its registries. */
async function agentWith({ api }: TestRoost, mode: object) {
  const trusted = '/workspace/ca.pem';
  const created = await api<Agent>('POST', '/v1/agent/create', {
    name: 'egress',
    configuration: {
      network: mode,
      custom_env: {
        ...Object.fromEntries(
          ['NPM_CONFIG_CAFILE', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO', 'PIP_CERT'].map((name) => [name, trusted]),
        ),
        NPM_CONFIG_REGISTRY: `https://${hosts.npm[0]}/`,
        PIP_INDEX_URL: `https://${hosts.pip[0]}/simple/`,
        PIP_DISABLE_PIP_VERSION_CHECK: '1',
        NPM_CONFIG_UPDATE_NOTIFIER: 'false',
      },
    },
  });
  if (created.status !== 201) throw new Error(JSON.stringify(created.body));
  const base = `/v1/agent/${created.body.id}`;
  const written = await api('POST', `${base}/filesystem/files/ca.pem`, { content: certificate });
  if (written.status !== 201) throw new Error(JSON.stringify(written.body));
  return {
    /** By the built-in model: a message that begins with `run:` is a command. */
    async run(name: string, command: string): Promise<void> {
      const sent = await api<Agent>('POST', `${base}/messages`, { content: `run: ${command}` });
      const answer = await until(
        `the command "${name}" has ended`,
        async () => {
          const { body } = await api<Answer>('GET', `${base}/messages/${sent.body.id}?wait=30`);
          return body.replies.length > 0 && body;
        },
        { timeoutMs: 240_000 },
      );
      outputs[name] = answer.replies.map(({ content }) => content).join('\n');
      console.error(`${name}: ${outputs[name]}`);
    },
    async log(): Promise<Log['entries']> {
      return (await api<Log>('GET', `${base}/network/log?limit=200`)).body.entries;
    },
  };
}

function makeRepository(): void {
  const work = join(folder, 'work');
  const run = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd: folder });
  run('init', '-q', 'work');
  writeFileSync(join(work, 'README'), 'hello from git\n');
  run('-C', 'work', 'add', '.');
  run('-C', 'work', 'commit', '-q', '-m', 'Begin');
  run('clone', '-q', '--bare', 'work', 'greeting.git');
  run('-C', 'greeting.git', 'update-server-info');
}
