import { beforeAll, describe, expect, it } from 'vitest';
import { closedNetworkProblem, runClosed } from '../closed-network/run-closed.js';
import type { EgressReport } from './run-egress.js';

/** ROOST_FULL=1 (`npm run guard`) runs npm, npx, pip and git too, and fails where one is missing; without it curl alone. */
const isFull = process.env.ROOST_FULL === '1';
const problem =
  closedNetworkProblem() ??
  (process.getuid?.() === 0 ? undefined : "in a user namespace PostgreSQL's own user cannot be made; run as root");
if (problem !== undefined) console.warn(`the egress of agents is not tried: ${problem}`);

describe.skipIf(problem !== undefined)("an agent's programs, in a network of its own", () => {
  let report: EgressReport;

  beforeAll(async () => {
    const run = await runClosed('guard/run-egress.js', { args: [isFull ? 'full' : 'quick'], timeoutMs: 580_000 });
    if (run.exitCode !== 0) throw new Error(`the run ended with ${run.exitCode}: ${run.stderr}\n${run.stdout}`);
    report = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as EgressReport;
  }, 600_000);

  it('reach the Internet through the proxy without being configured for it', () => {
    expect(report.outputs['curl plain']).toContain('GET /plain at www.closed-sites.org');
    expect(report.outputs['curl tls']).toContain('POST /tls at www.closed-sites.org');
    expect(report.outputs['curl other port']).toContain('at www.closed-sites.org:8080');
  });

  it.runIf(isFull).each([
    ['npm', 'hello from npm'],
    ['npx', 'hello from npx'],
    ['npx of an MCP server', '"serverInfo":{"name":"greeting-mcp"'],
    ['pip', 'hello from pip'],
    ['git', 'hello from git'],
  ])('%s works', (name, output) => {
    expect(report.outputs[name]).toContain(output);
  });

  it('reach nothing inside, and nothing past the proxy', () => {
    expect(report.outputs['curl inside']).toContain('private address, which may not be called');
    expect(report.outputs['curl inside']).toContain('403');
    expect(report.outputs['curl metadata']).toContain('metadata address, which may not be called');
    expect(report.outputs['curl past the proxy']).toContain("Couldn't connect");
    expect(report).toMatchObject({ packetsOutside: 0, deniedConnections: 0 });
  });

  it('reach what is on the allowlist, and return which setting keeps them from the rest', () => {
    expect(report.outputs['allowlist: on it']?.match(/GET \/ok/g)?.length).toBeGreaterThanOrEqual(2);
    expect(report.outputs['allowlist: not on it']).toMatch(/not on this agent's allowlist.*configuration\.network/);
    expect(report.outputs['allowlist: not on it']).toContain('403');
    expect(report.outputs['allowlist: not on it, tls']).toContain('403');
    expect(report.outputs['allowlist: wildcard and port']).toContain('404');
    expect(report.outputs['allowlist: inside all the same']).toContain('private address');
  });

  it('reach nothing without a network', () => {
    expect(report.outputs.none).toMatch(/no network \(mode "none"\).*configuration\.network/);
    expect(report.outputs.none).toContain('403');
    expect(report.outputs['none, tls']).toContain('403');
  });

  it('leave an entry for each request in the log that the API shows', () => {
    expect(report.logs.public).toContainEqual(
      expect.objectContaining({ host: 'www.closed-sites.org', port: 80, method: 'GET', verdict: 'allowed' }),
    );
    expect(report.logs.public).toContainEqual(
      expect.objectContaining({ host: 'www.closed-sites.org', port: 443, method: 'CONNECT', verdict: 'allowed' }),
    );
    expect(
      report.logs.public.filter(({ host }) => host === 'inside.closed-sites.org').map(({ verdict }) => verdict),
    ).toEqual(['refused', 'refused']);
    expect(report.logs.allowlist.filter(({ verdict }) => verdict === 'refused').length).toBe(3);
    expect(report.logs.none.map(({ verdict }) => verdict)).toEqual(['refused', 'refused']);
    expect(report.logs.none[0]?.reason).toContain('configuration.network');
  });
});
