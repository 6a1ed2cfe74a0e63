import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { apiOf, type Api, journey, untilReady } from '../docker/journey.js';
import { type Cluster, openCluster } from './cluster.js';
import { Kubectl, NAMESPACE } from './kubectl.js';
import type { ClusterKind, Run } from './programs.js';
import { sandboxOf, tryReach } from './reach.js';

export interface TryOptions {
  root: string;
  /** Temporary. */
  folder: string;
  kind: ClusterKind;
  name: string;
  /** A git revision to install first and upgrade from; undefined: the newest tag before this one, if there is any. */
  from: string | undefined;
  helm: string;
  run: Run;
  say(line: string): void;
}

const images = { services: 'roost:try', workspace: 'roost-workspace:try' };
const previous = { services: 'roost:try-previous', workspace: 'roost-workspace:try-previous' };
const servers = ['postgres:17-bookworm', 'nats:2.12-alpine'];
const components = [
  ...['gateway', 'messaging', 'agent-runtime', 'agent-lifecycle', 'scheduler', 'webhook-dispatch', 'channels'],
  ...['nats', 'postgres'],
];
const buildMs = 1_800_000;
const rolloutMs = 900_000;

/** One installation from an empty cluster to an empty cluster. */
export class Installation {
  private cluster: Cluster | undefined;
  private kubectl: Kubectl;
  private upgradesFrom: string | undefined;
  private readonly closers: (() => void)[] = [];
  private readonly agents: string[] = [];

  constructor(private readonly options: TryOptions) {
    this.kubectl = new Kubectl(options.run, process.env);
  }

  /** In this order; the first that fails ends the run. */
  readonly steps: [title: string, step: () => Promise<void>][] = [
    ['make the cluster', () => this.makeCluster()],
    ['build the images and load them', () => this.buildImages()],
    ['make namespace and Secret, install the chart, wait until all is ready', () => this.install()],
    ['run helm test', () => this.helmTest()],
    ['make two agents: a message, an answer, a file of each', () => this.tryAgents()],
    ['try the network from inside a sandbox, and from pods without a policy', () => this.tryNetwork()],
    ['kill a pod of each service, of NATS and of PostgreSQL, each with a message under way', () => this.killPods()],
    ['upgrade while an agent works', () => this.upgrade()],
    ['delete the agents, uninstall, look for what is left', () => this.uninstall()],
  ];

  /** Takes away the cluster that this run made, and its forwarded ports. */
  async close(isKept: boolean): Promise<void> {
    for (const close of this.closers) close();
    if (!isKept && this.cluster && !this.cluster.isOld) await this.cluster.delete();
  }

  private async makeCluster(): Promise<void> {
    const { kind, name, folder, root, run } = this.options;
    const configFile = join(root, 'deploy/kind/cluster.yaml');
    this.cluster = await openCluster({ kind, name, folder, configFile, run });
    this.kubectl = new Kubectl(run, { ...process.env, KUBECONFIG: this.cluster.kubeconfig });
    if (this.cluster.isOld) this.options.say(`  the cluster ${name} was there and stays`);
  }

  private async buildImages(): Promise<void> {
    const { root, folder, run, say } = this.options;
    const build = async (context: string, tags: typeof images) => {
      for (const [target, tag] of Object.entries(tags)) {
        const file = join(context, 'deploy/docker/Dockerfile');
        const base = process.env['BASE'] ? ['--build-arg', `BASE=${process.env['BASE']}`] : [];
        const env = { ...process.env, DOCKER_BUILDKIT: '1' };
        const args = ['build', '--file', file, ...base, '--target', target, '--tag', tag, context];
        await run('docker', args, { timeoutMs: buildMs, env });
      }
    };
    await build(root, images);
    this.upgradesFrom = await this.revision();
    if (this.upgradesFrom !== undefined) {
      const worktree = join(folder, 'previous');
      await run('git', ['-C', root, 'worktree', 'add', '--detach', worktree, this.upgradesFrom]);
      await build(worktree, previous);
    } else say('  no earlier version is tagged: the upgrade will be to the same one (--from names another)');
    for (const image of servers) {
      await run('docker', ['image', 'inspect', image]).catch(() =>
        run('docker', ['pull', image], { timeoutMs: buildMs }),
      );
    }
    const all = [...Object.values(images), ...(this.upgradesFrom ? Object.values(previous) : []), ...servers];
    await this.cluster?.load(all);
  }

  private async revision(): Promise<string | undefined> {
    const { from, root, run } = this.options;
    if (from !== undefined) return (await run('git', ['-C', root, 'rev-parse', '--verify', `${from}^{commit}`])).trim();
    const newest = ['-C', root, 'describe', '--tags', '--abbrev=0', 'HEAD^'];
    return run('git', newest).then(
      (tag) => tag.trim(),
      () => undefined,
    );
  }

  private async install(): Promise<void> {
    const { folder } = this.options;
    const secrets = join(folder, 'secrets');
    mkdirSync(secrets, { recursive: true });
    await this.setup(secrets, this.upgradesFrom ? previous.services : images.services);
    const namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE, labels: { [RESTRICTED]: 'restricted' } },
    };
    await this.kubectl.ask(['apply', '--filename', '-'], { input: JSON.stringify(namespace) });
    await this.applySecret(secrets);
    const chart = this.upgradesFrom ? join(folder, 'previous') : this.options.root;
    await this.helm(chart, this.upgradesFrom ? previous : images);
  }

  private async setup(secrets: string, image: string): Promise<void> {
    const mount = ['--user', '0:0', '--volume', `${secrets}:/secrets`];
    await this.options.run('docker', ['run', '--rm', ...mount, image, 'setup', '/secrets']);
    // Its files are of the services' user: this one's kubectl reads them, and this one deletes them in the end.
    const open = ['--entrypoint', 'node', image, '-e', OPEN_FILES];
    await this.options.run('docker', ['run', '--rm', ...mount, ...open]);
  }

  private async applySecret(secrets: string): Promise<void> {
    const dryRun = ['--dry-run=client', '--output=yaml'];
    const create = ['--namespace', NAMESPACE, 'create', 'secret', 'generic', 'roost-secrets', `--from-file=${secrets}`];
    const secret = await this.kubectl.ask([...create, ...dryRun]);
    await this.kubectl.ask(['apply', '--server-side', '--filename', '-'], { input: secret });
  }

  private async helm(root: string, { services, workspace }: typeof images): Promise<void> {
    const [repository = '', tag = ''] = services.split(':');
    const chart = join(root, 'deploy/helm/roost');
    const values = ['--values', join(this.options.root, 'deploy/kind/values.yaml')];
    const set = [`image.repository=${repository}`, `image.tag=${tag}`, `workspaces.image=${workspace}`];
    const args = ['upgrade', '--install', 'roost', chart, '--namespace', NAMESPACE, ...values];
    const more = [...set.flatMap((value) => ['--set', value]), '--wait', '--timeout', `${rolloutMs / 1_000}s`];
    await this.options.run(this.options.helm, [...args, ...more], {
      timeoutMs: rolloutMs + 60_000,
      env: this.kubectl.env,
    });
  }

  private async helmTest(): Promise<void> {
    const args = ['test', 'roost', '--namespace', NAMESPACE, '--timeout', '180s'];
    await this.options.run(this.options.helm, args, { timeoutMs: 240_000, env: this.kubectl.env });
  }

  /** A way to the gateway that is opened anew: a forwarded port ends with the pod that it leads to. */
  private async withApi<T>(use: (api: Api, url: string) => Promise<T>): Promise<T> {
    const args = ['--namespace', NAMESPACE, 'get', 'secret', 'roost-secrets', '--output', 'jsonpath={.data.api-key}'];
    const key = Buffer.from((await this.kubectl.ask(args)).trim(), 'base64')
      .toString()
      .trim();
    const { url, close } = await this.kubectl.forward('roost-gateway', 80);
    this.closers.push(close);
    try {
      await untilReady(url, Date.now());
      return await use(apiOf(url, key), url);
    } finally {
      close();
    }
  }

  private async tryAgents(): Promise<void> {
    await this.withApi(async (api) => {
      for (const text of ['hello', 'goodbye']) {
        const { agentId, replyMs } = await journey(api, text);
        this.agents.push(agentId);
        this.options.say(`  agent ${agentId} answered in ${(replyMs / 1_000).toFixed(1)} s, its pod's start included`);
      }
      const [agentId] = this.agents;
      const path = `/v1/agent/${agentId}/filesystem/files/written.txt`;
      await api('POST', path, { content: 'by the API' });
      const { content } = await api<{ content: string }>('GET', path);
      if (content !== 'by the API') throw new Error(`the file holds ${JSON.stringify(content)}`);
    });
  }

  private async tryNetwork(): Promise<void> {
    const [one, other] = await Promise.all(this.agents.slice(0, 2).map((agentId) => sandboxOf(this.kubectl, agentId)));
    if (!one || !other) throw new Error('two sandboxes are needed');
    const { workspace } = this.upgradesFrom ? previous : images;
    await tryReach({ kubectl: this.kubectl, sandboxes: [one, other], image: workspace, say: this.options.say });
  }

  private async killPods(): Promise<void> {
    for (const component of components) {
      const text = `after-${component}`;
      const { id } = await this.withApi((api) => this.send(api, `write ${text} to killed.txt`));
      const selector = `app.kubernetes.io/name=roost,app.kubernetes.io/component=${component}`;
      const { name } = await this.kubectl.pod(selector);
      const force = ['--grace-period=0', '--force', '--wait=false'];
      await this.kubectl.ask(['--namespace', NAMESPACE, 'delete', 'pod', name, ...force]);
      const replies = await this.answered(id);
      if (replies !== 1) throw new Error(`a message that was under way when ${name} was killed has ${replies} answers`);
      const content = await this.withApi((api) => this.read(api, 'killed.txt'));
      if (content !== text) throw new Error(`after ${name} was killed the file holds ${JSON.stringify(content)}`);
      this.options.say(`  ${name} killed: one answer, one file`);
    }
  }

  private send(api: Api, content: string): Promise<{ id: string }> {
    return api<{ id: string }>('POST', `/v1/agent/${this.agents[0]}/messages`, { content });
  }

  private async read(api: Api, file: string): Promise<string> {
    return (await api<{ content: string }>('GET', `/v1/agent/${this.agents[0]}/filesystem/files/${file}`)).content;
  }

  /** How many answers a message has once it has any, through whatever gateway there is by then. */
  private async answered(messageId: string, timeoutMs = 300_000): Promise<number> {
    const path = `/v1/agent/${this.agents[0]}/messages/${messageId}?wait=10`;
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await wait(500)) {
      const replies = await this.withApi((api) => api<{ replies: object[] }>('GET', path)).then(
        (answer) => answer.replies.length,
        () => 0,
      );
      if (replies > 0) return replies;
    }
    return 0;
  }

  private async upgrade(): Promise<void> {
    const secrets = join(this.options.folder, 'secrets');
    if (this.upgradesFrom !== undefined) await this.setup(secrets, images.services);
    await this.applySecret(secrets);
    const { id } = await this.withApi((api) => this.send(api, 'write upgraded to upgraded.txt'));
    await this.helm(this.options.root, images);
    if (this.upgradesFrom === undefined) {
      await this.kubectl.ask(['--namespace', NAMESPACE, 'rollout', 'restart', 'deployment']);
      const status = ['rollout', 'status', 'deployment', '--timeout', `${rolloutMs / 1_000}s`];
      await this.kubectl.ask(['--namespace', NAMESPACE, ...status], { timeoutMs: rolloutMs + 60_000 });
    }
    const replies = await this.answered(id);
    if (replies !== 1) throw new Error(`a message that was under way in the upgrade has ${replies} answers`);
    for (const [file, wanted] of [
      ['upgraded.txt', 'upgraded'],
      ['notes.txt', 'hello'],
    ] as const) {
      const content = await this.withApi((api) => this.read(api, file));
      if (content !== wanted) throw new Error(`after the upgrade ${file} holds ${JSON.stringify(content)}`);
    }
  }

  private async uninstall(): Promise<void> {
    await this.withApi(async (api) => {
      for (const agentId of this.agents) await api('POST', `/v1/agent/delete/${agentId}`, {});
    });
    const left = [
      'statefulsets,persistentvolumeclaims,secrets,serviceaccounts,networkpolicies,pods',
      '--output',
      'name',
    ];
    const ofAgents = ['--namespace', NAMESPACE, 'get', ...left, '--selector', 'roost.dev/agent-id'];
    let found = '';
    for (const deadline = Date.now() + 120_000; Date.now() < deadline; await wait(1_000)) {
      found = (await this.kubectl.ask(ofAgents)).trim();
      if (found === '') break;
    }
    if (found !== '') throw new Error(`of deleted agents there is still:\n${found}`);
    const args = ['uninstall', 'roost', '--namespace', NAMESPACE, '--wait', '--timeout', '300s'];
    await this.options.run(this.options.helm, args, { timeoutMs: 360_000, env: this.kubectl.env });
    const kinds = 'deployments,statefulsets,services,networkpolicies,roles,rolebindings,configmaps';
    const ours = ['get', kinds, '--selector', 'app.kubernetes.io/name=roost', '--output', 'name'];
    const rest = (await this.kubectl.ask(['--namespace', NAMESPACE, ...ours])).trim();
    if (rest !== '') throw new Error(`after helm uninstall there is still:\n${rest}`);
    await this.kubectl.ask(['delete', 'namespace', NAMESPACE, '--timeout=180s'], { timeoutMs: 240_000 });
  }
}

const RESTRICTED = 'pod-security.kubernetes.io/enforce';
const OPEN_FILES =
  "const fs=require('fs');for(const f of fs.readdirSync('/secrets'))fs.chmodSync('/secrets/'+f,fs.statSync('/secrets/'+f).isDirectory()?0o777:0o644);fs.chmodSync('/secrets',0o755)";
