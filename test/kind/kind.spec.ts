import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startRoost, temporaryFolder, type TestRoost } from '#lib/testing';
import { services } from '#tools/launcher';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { programDoubles, type Rule } from './doubles.js';
import { Kubectl, type PodSeen } from './kubectl.js';
import { findPrograms, run } from './programs.js';
import { tryReach } from './reach.js';
import { Installation, type TryOptions } from './steps.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** A hundred processes and a Roost: `npm run test:kubernetes`. */
const isFull = process.env['ROOST_FULL'] === '1';
const all = ['docker', 'kubectl', 'kind', 'k3d', 'helm'];
const works = (program: string, args: string, output = ''): Rule => ({ program, args, output });
const here: Rule[] = [
  works('docker', '^info$'),
  works('kubectl', '^version --client$'),
  works('kind', '^version$'),
  works('k3d', '^version$'),
  works('helm', '^version --short$', 'v4.1.4+g05fa379'),
];
/** The machine's own may be there too. */
const isolated = (bin: string) => `${bin}:/usr/bin:/bin`;

describe('deploy/kind/try.sh', () => {
  const start = (args: string[], path: string) =>
    new Promise<{ code: number; text: string }>((resolve) => {
      const program = `${root}/dist/test/kind/main.js`;
      execFile(process.execPath, [program, ...args], { env: { ...process.env, PATH: path } }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, text: stdout + stderr }),
      );
    });

  it('says what it does, and of a wrong option that it is wrong', async () => {
    const bin = programDoubles(temporaryFolder(), []).bin;
    expect(await start(['--help'], bin)).toMatchObject({ code: 0, text: expect.stringContaining('--with kind|k3d') });
    expect(await start(['--with', 'minikube'], bin)).toMatchObject({
      code: 1,
      text: expect.stringContaining('--with is kind or k3d'),
    });
  });

  it('says what is missing, and begins nothing', async () => {
    const { code, text } = await start([], programDoubles(temporaryFolder(), []).bin);
    expect(code).toBe(2);
    expect(text.match(/^missing: .*$/gm)).toEqual([
      'missing: a Docker that runs: https://docs.docker.com/engine/install/',
      'missing: kubectl: https://kubernetes.io/docs/tasks/tools/',
      'missing: kind 0.24 or later: https://kind.sigs.k8s.io, or k3d: https://k3d.io',
    ]);
  });

  it('lists its steps for --dry-run, and calls nothing that changes anything', async () => {
    const doubles = programDoubles(temporaryFolder(), all);
    doubles.answer(here);
    const { code, text } = await start(['--dry-run'], isolated(doubles.bin));
    expect({ code, steps: text.match(/^\d\. /gm)?.length }).toEqual({ code: 0, steps: 9 });
    const readOnly = here.map(({ program, args }) => `${program} ${args.replace(/[$^]/g, '')}`);
    for (const { program, args } of doubles.calls()) expect(readOnly).toContain(`${program} ${args.join(' ')}`);
  });
});

describe('an installation on doubles of kind, kubectl, helm and docker, with a real Roost behind the forwarded port', () => {
  let roost: TestRoost | undefined;
  let doubles: ReturnType<typeof programDoubles>;
  const path = process.env['PATH'];
  beforeAll(async () => {
    if (isFull) roost = await startRoost();
  });
  afterAll(() => roost?.stop());
  beforeEach(() => {
    doubles = programDoubles(temporaryFolder(), all);
    process.env['PATH'] = isolated(doubles.bin);
  });
  afterEach(() => {
    process.env['PATH'] = path;
  });

  const pods = (name: string, namespace: string, address: string) =>
    JSON.stringify({
      items: [
        {
          metadata: { name, namespace },
          status: { podIP: address, conditions: [{ type: 'Ready', status: 'True' }] },
        },
      ],
    });
  /** What a cluster answers that enforces policies; `more` comes first. */
  const cluster = (more: Rule[] = []): Rule[] => [
    ...more,
    ...here,
    works('kind', '^get clusters$', 'another\n'),
    works('kind', '^(create cluster|delete cluster|load docker-image) '),
    works('k3d', '^cluster list --output json$', '[{"name":"another"}]'),
    works('k3d', '^(cluster create|cluster delete|image import|kubeconfig write) '),
    works('docker', '^(build|run|pull|image inspect) '),
    works('helm', '^(upgrade --install|test|uninstall) roost '),
    works('kubectl', '^apply '),
    works('kubectl', '^--namespace \\S+ wait pod/control'),
    works('kubectl', 'create secret generic roost-secrets --from-file=\\S+ --dry-run=client', 'kind: Secret'),
    works('kubectl', 'get secret roost-secrets', Buffer.from(`${roost?.apiKey ?? ''}\n`).toString('base64')),
    works('kubectl', 'get service kubernetes', '10.96.0.1'),
    {
      program: 'kubectl',
      args: 'port-forward service/roost-gateway :80$',
      output: `Forwarding from 127.0.0.1:${new URL(roost?.url ?? 'http://127.0.0.1:1').port} -> 3000\n`,
      stays: true,
    },
    works('kubectl', 'get pods --selector app=control ', pods('control', 'roost-control', '10.0.1.1')),
    works('kubectl', 'get pods --selector k8s-app=kube-dns ', pods('coredns', 'kube-system', '10.0.1.2')),
    ...[...services.map(({ name }) => name), 'nats', 'postgres'].map((name, index) =>
      works('kubectl', `get pods --selector \\S+component=${name} `, pods(`${name}-x`, 'roost', `10.0.0.${index}`)),
    ),
    works('kubectl', 'get pods --selector roost.dev/agent-id=(\\S+) ', pods('sandbox-$1', 'roost', '10.0.9.$1')),
    // By name or address: what must be open is, and nothing else.
    works('kubectl', 'exec control .*(10\\.96\\.0\\.1|10\\.0\\.1\\.2|10\\.0\\.0\\.0)"', 'open\n'),
    works('kubectl', 'exec agent-lifecycle-x .*(5432|4222),', 'open\n'),
    works('kubectl', 'exec sandbox-\\S+ .*listen\\(8080\\)'),
    works('kubectl', 'exec sandbox-\\S+ .*(4222,|3128,)', 'open\n'),
    works('kubectl', 'exec sandbox-(\\S+) .*8080,"10\\.0\\.9\\.\\1"', 'open\n'),
    works('kubectl', 'exec \\S+ -- node -e .*connect', 'closed\n'),
    works('kubectl', 'delete (pod|namespace) '),
    works('kubectl', '(rollout|get (statefulsets|deployments))'),
  ];
  const options = (more: Partial<TryOptions> = {}): TryOptions => ({
    root,
    folder: temporaryFolder(),
    kind: 'kind',
    name: 'roost-try',
    from: undefined,
    helm: 'helm',
    // Of git only what tags there are matters here.
    run: (program, args, settings) =>
      program === 'git' ? Promise.reject(new Error('no tags')) : run(program, args, settings),
    say: () => undefined,
    ...more,
  });
  const carryOut = async (installation: Installation, only?: RegExp) => {
    for (const [title, step] of installation.steps) if (!only || only.test(title)) await step();
  };
  const made = (program: string) =>
    doubles
      .calls()
      .filter((call) => call.program === program)
      .map(({ args }) => args.join(' '));

  it('finds what makes clusters, kind before k3d', async () => {
    doubles.answer(here);
    expect(await findPrograms(undefined)).toEqual({ kind: 'kind' });
    expect(await findPrograms('k3d')).toEqual({ kind: 'k3d' });
    doubles.answer(here.filter(({ program }) => program !== 'kind'));
    expect(await findPrograms(undefined)).toEqual({ kind: 'k3d' });
    expect(await findPrograms('kind')).toEqual({ missing: [expect.stringContaining('kind 0.24 or later')] });
  });

  it.runIf(isFull)('goes through every step, and leaves no cluster behind', async () => {
    doubles.answer(cluster());
    const installation = new Installation(options());
    await carryOut(installation);
    await installation.close(false);
    expect(made('kind').map((args) => args.split(' ').slice(0, 2).join(' '))).toEqual([
      'get clusters',
      'create cluster',
      'load docker-image',
      'delete cluster',
    ]);
    expect(made('helm').map((args) => args.split(' ')[0])).toEqual(['upgrade', 'test', 'upgrade', 'uninstall']);
    expect(made('helm')[0]).toMatch(
      /--set image.repository=roost --set image.tag=try --set workspaces.image=roost-workspace:try --wait/,
    );
    expect(made('docker').filter((args) => args.startsWith('build'))).toHaveLength(2);
    expect(made('kubectl').filter((args) => /delete pod .*--force/.test(args))).toHaveLength(9);
    // Nobody's own cluster is touched.
    const kubeconfigs = doubles.calls().filter(({ program }) => program === 'kubectl' || program === 'helm');
    expect(new Set(kubeconfigs.map(({ kubeconfig }) => kubeconfig)).size).toBe(1);
    expect(kubeconfigs[0]?.kubeconfig).toMatch(/\/kubeconfig$/);
    const [namespace] = doubles.calls().filter(({ input }) => input.includes('"kind":"Namespace"'));
    expect(namespace?.input).toContain('"pod-security.kubernetes.io/enforce":"restricted"');
  });

  it('uses and leaves a cluster that is there, and one that is to be kept', async () => {
    doubles.answer(cluster([works('kind', '^get clusters$', 'roost-try\n'), works('kind', '^export kubeconfig ')]));
    const old = new Installation(options());
    await carryOut(old, /cluster$/);
    await old.close(false);
    doubles.answer(cluster());
    const kept = new Installation(options());
    await carryOut(kept, /cluster$/);
    await kept.close(true);
    expect(made('kind').filter((args) => args.startsWith('delete'))).toEqual([]);
    expect(made('kind').filter((args) => args.startsWith('create'))).toHaveLength(1);
  });

  it('does the same with k3d', async () => {
    doubles.answer(cluster());
    const installation = new Installation(options({ kind: 'k3d' }));
    await carryOut(installation, /cluster$|images/);
    await installation.close(false);
    expect(made('k3d').map((args) => args.split(' ').slice(0, 2).join(' '))).toEqual([
      'cluster list',
      'cluster create',
      'kubeconfig write',
      'image import',
      'cluster delete',
    ]);
  });

  it.runIf(isFull).each([
    [
      'a sandbox that reaches PostgreSQL',
      'exec sandbox-\\S+ .*5432,',
      'open',
      'a sandbox finds PostgreSQL open, not closed',
    ],
    [
      'a sandbox that does not reach the bus',
      'exec sandbox-\\S+ .*4222,',
      'closed',
      'a sandbox finds NATS closed, not open',
    ],
    [
      'a control that nobody reaches',
      'exec control .*10\\.96\\.0\\.1"',
      'closed',
      'a pod without a policy finds the API server closed',
    ],
    ['policies that nobody enforces', 'exec control .*5432,', 'open', 'a pod without a policy finds PostgreSQL open'],
  ])('fails on %s', async (_, args, output, reason) => {
    doubles.answer(cluster([works('kubectl', args, `${output}\n`)]));
    const kubectl = new Kubectl(run, process.env);
    const sandbox = (name: string): PodSeen => ({
      name: `sandbox-${name}`,
      namespace: 'roost',
      address: `10.0.9.${name}`,
      isReady: true,
    });
    const sandboxes: [PodSeen, PodSeen] = [sandbox('a'), sandbox('b')];
    await expect(tryReach({ kubectl, sandboxes, image: 'a', say: () => undefined })).rejects.toThrow(reason);
  });

  it.runIf(isFull)('fails on what is left after an uninstallation', async () => {
    doubles.answer(cluster([works('kubectl', 'get deployments', 'deployment.apps/roost-gateway')]));
    const installation = new Installation(options());
    await expect(carryOut(installation, /cluster$|uninstall/)).rejects.toThrow('after helm uninstall there is still');
    await installation.close(false);
  });

  it('reports what a program says when it fails', async () => {
    doubles.answer(cluster([{ program: 'helm', args: '^upgrade', output: 'timed out waiting', exitCode: 1 }]));
    const installation = new Installation(options());
    await expect(carryOut(installation, /cluster$|install the chart/)).rejects.toThrow(
      /helm upgrade .* ended with 1:\ntimed out/,
    );
    await installation.close(false);
  });
});
