import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type PodSpec, violationsOfPodSecurity } from '#lib/testing';
import { chartFolder, lintChart, type Manifest, manifestsFile, plainManifests, type Values } from '#tools/helm';
import { lifecycleConfigSchema } from '../../apps/agent-lifecycle/src/config.js';
import { Config as runtimeConfig } from '../../apps/agent-runtime/src/config.js';
import { Config as channelsConfig } from '../../apps/channels/src/config.js';
import { gatewayConfigSchema } from '../../apps/gateway/src/config.js';
import { messagingConfig } from '../../apps/messaging/src/config.js';
import { schedulerConfigSchema } from '../../apps/scheduler/src/config.js';
import { Config as webhookConfig } from '../../apps/webhook-dispatch/src/config.js';
import { render } from './rendered.js';
import { validate } from './validate.js';
import { valueSets } from './value-sets.js';
import { services as launched } from '../../tools/launcher/services.js';

interface PodTemplate {
  terminationGracePeriodSeconds?: number;
  initContainers?: { name: string; args: string[]; volumeMounts: { name: string }[] }[];
  volumes?: { name: string; secret?: { items: { key: string; path: string }[] } }[];
  containers: {
    name: string;
    env?: { name: string; value: string }[];
    volumeMounts?: { name: string }[];
    livenessProbe?: object;
    readinessProbe?: object;
    startupProbe?: object;
  }[];
}

type ValidatedDeployment = Manifest & { spec: { [field: string]: unknown; template: { spec: PodTemplate } } };

const services = [
  'gateway',
  'messaging',
  'agent-runtime',
  'agent-lifecycle',
  'scheduler',
  'webhook-dispatch',
  'channels',
];
const configs: Record<string, { shape: object }> = {
  gateway: gatewayConfigSchema,
  messaging: messagingConfig,
  'agent-runtime': runtimeConfig,
  'agent-lifecycle': lifecycleConfigSchema,
  scheduler: schedulerConfigSchema,
  'webhook-dispatch': webhookConfig,
  channels: channelsConfig,
};
/** What the images and the drivers of other kinds of workspaces decide, what needs a file, and faults for tests. */
const NOT_FOR_COMPOSE = [
  'HOST',
  'NODE_ENV',
  'OTEL_SERVICE_NAME',
  'OTEL_EXPORTER_OTLP_CERTIFICATE',
  'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE',
  'OTEL_EXPORTER_OTLP_CLIENT_KEY',
  'ROOST_BWRAP',
  'ROOST_CHAOS_FENCE',
  'ROOST_DATA_DIR',
  'ROOST_EGRESS_HOST',
  'ROOST_EGRESS_PORT',
  'ROOST_KUBERNETES',
  'ROOST_LOCAL_RUNTIME',
  'ROOST_RUNSC',
];
/** Comes from the Secret. */
const masterKey = Buffer.alloc(32, 1).toString('base64');

const compose = parse(readFileSync(fileURLToPath(new URL('../../docker-compose.yml', import.meta.url)), 'utf8'), {
  merge: true,
}) as {
  services: Record<
    string,
    { environment: Record<string, string>; secrets?: unknown[]; depends_on?: Record<string, { condition: string }> }
  >;
  secrets: Record<string, { file: string }>;
};

const of = (manifests: Manifest[], kind: string) => manifests.filter((manifest) => manifest.kind === kind);

/** The pod of whatever makes pods. */
function podOf(manifest: Manifest): PodTemplate | undefined {
  const spec = manifest['spec'] as { template?: { spec?: PodTemplate } } & PodTemplate;
  return manifest.kind === 'Pod' ? spec : spec?.template?.spec;
}

describe('the chart', () => {
  it.each(Object.entries(valueSets))('renders manifests that an API server accepts: %s', async (_, values) => {
    const { manifests } = await render(values);
    for (const manifest of manifests) await validate(manifest);
    const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each<[string, string, (deployment: ValidatedDeployment) => void]>([
    ['a wrong type', 'must be integer', ({ spec }) => (spec['replicas'] = 'two')],
    ['a misspelt field', '.spec.replcas: field not declared in schema', ({ spec }) => (spec['replcas'] = 2)],
    [
      'a misspelt field of a container',
      '.spec.template.spec.containers[name="agent-lifecycle"].imagePullPolcy: field not declared',
      ({ spec }) => Object.assign(spec.template.spec.containers[0]!, { imagePullPolcy: 'Always' }),
    ],
    [
      'a field in the wrong place',
      '.replicas: field not declared in schema',
      (it) => Object.assign(it, { replicas: 2 }),
    ],
    ['a missing field', 'required property selector', ({ spec }) => delete spec['selector']],
    [
      'a choice that there is not',
      'allowed values',
      ({ spec }) => Object.assign(spec.template.spec.containers[0]!, { imagePullPolicy: 'Sometimes' }),
    ],
    ['a label that is no text', 'must be string', ({ metadata }) => Object.assign(metadata, { labels: { a: 1 } })],
    [
      'a version that was removed',
      'extensions/v1beta1',
      (it) => Object.assign(it, { apiVersion: 'extensions/v1beta1' }),
    ],
    [
      'a kind of another group',
      'no schema of policy/v1 Deployment',
      (it) => Object.assign(it, { apiVersion: 'policy/v1' }),
    ],
  ])('is validated against schemas that refuse %s', async (_, reason, change) => {
    const [deployment] = of((await render()).manifests, 'Deployment');
    await validate(deployment!);
    const changed = structuredClone(deployment) as ValidatedDeployment;
    change(changed);
    await expect(validate(changed)).rejects.toThrow(reason);
  });

  it('leads from a Gateway to the gateway and nowhere else', async () => {
    const { manifests } = await render(valueSets['the Gateway API, no autoscaling, metrics']);
    expect(of(manifests, 'HTTPRoute').map((route) => route['spec'])).toEqual([
      {
        parentRefs: [{ name: 'public' }],
        hostnames: ['roost.example'],
        rules: [{ backendRefs: [{ name: 'roost-gateway', port: 80 }] }],
      },
    ]);
  });

  it('has every pod under Pod Security "restricted"', async () => {
    for (const values of Object.values(valueSets)) {
      for (const manifest of (await render(values)).manifests) {
        const pod = podOf(manifest) as PodSpec | undefined;
        if (pod) {
          const broken = violationsOfPodSecurity('restricted', pod);
          expect({ name: manifest.metadata.name, broken }).toMatchObject({ broken: [] });
        }
      }
    }
  });

  it('has of every service probes, a drain of 30 s and more, a budget, a policy, and a scaler where it scales', async () => {
    const { manifests } = await render();
    for (const service of services) {
      const named = (kind: string) => of(manifests, kind).find(({ metadata }) => metadata.name === `roost-${service}`);
      const pod = podOf(named('Deployment') as Manifest);
      const probe = (path: string) => ({ httpGet: { path, port: 'metrics' } });
      expect(pod?.containers[0]).toMatchObject({
        ports: expect.arrayContaining([{ name: 'metrics', containerPort: 9464 }]),
        livenessProbe: probe('/live'),
        // Another service that is away makes no gateway unready.
        readinessProbe: probe(service === 'gateway' ? '/ready' : '/live'),
        startupProbe: probe('/live'),
      });
      expect(pod?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(30);
      expect(named('PodDisruptionBudget')).toBeDefined();
      expect(named('NetworkPolicy')).toBeDefined();
      expect(named('HorizontalPodAutoscaler') !== undefined).toBe(service !== 'agent-lifecycle');
    }
    expect(of(manifests, 'StatefulSet').map(({ metadata }) => metadata.name)).toEqual(['nats', 'postgres']);
    expect(of((await render(valueSets['an external database and bus'])).manifests, 'StatefulSet')).toEqual([]);
  });

  it('gives the lifecycle service settings that it can read', async () => {
    for (const values of Object.values(valueSets)) {
      const lifecycle = (await render(values)).manifests.find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'roost-agent-lifecycle',
      );
      const environment = podOf(lifecycle as Manifest)?.containers[0]?.env ?? [];
      const env = Object.fromEntries(environment.map(({ name, value }) => [name, value]).filter(([, value]) => value));
      const { ROOST_KUBERNETES: settings } = lifecycleConfigSchema.parse({ ...env, ROOST_MASTER_KEY: masterKey });
      expect(settings).toMatchObject({ namespace: 'roost', egress: { host: 'roost-egress', port: 3128 } });
    }
  });

  it('leaves a setting that is empty to the environment of all services, or to its default', async () => {
    const gateway = async (values: Values) => {
      const { manifests } = await render(values);
      const pod = podOf(of(manifests, 'Deployment').find(({ metadata }) => metadata.name === 'roost-gateway')!);
      return pod?.containers[0]?.env?.filter(({ name }) => name === 'ROOST_TRUSTED_ISSUERS').map(({ value }) => value);
    };
    const env = { ROOST_TRUSTED_ISSUERS: '[]' };
    expect(await gateway({})).toEqual([]);
    expect(await gateway({ env })).toEqual(['[]']);
    expect(await gateway({ services: { gateway: { env } } })).toEqual(['[]']);
  });

  it('accepts its own values and refuses unknown and unfit ones', async () => {
    const read = (name: string) => readFileSync(`${chartFolder}/${name}`, 'utf8');
    const check = new Ajv({ strict: false }).compile(JSON.parse(read('values.schema.json')) as object);
    const values = parse(read('values.yaml')) as Values;
    expect(check(values)).toBe(true);
    for (const wrong of [{ replicas: 3 }, { terminationGracePeriodSeconds: 10 }, { publicUrl: 'roost.example' }]) {
      expect(check({ ...values, ...wrong })).toBe(false);
    }
  });

  it('and the compose file give Node the flags that the launcher gives it', async () => {
    const deployments = of((await render()).manifests, 'Deployment');
    for (const { name, nodeFlags } of launched) {
      const deployment = deployments.find(({ metadata }) => metadata.name === `roost-${name}`)!;
      const env = podOf(deployment)?.containers[0]?.env ?? [];
      const flags = nodeFlags?.join(' ');
      expect(env.find((variable) => variable.name === 'NODE_OPTIONS')?.value).toBe(flags);
      expect(compose.services[name]?.environment['NODE_OPTIONS']).toBe(flags);
    }
  });

  it.each(Object.entries(configs))('leaves no setting out of the compose file: %s', (service, { shape }) => {
    const { environment } = compose.services[service]!;
    const missing = Object.keys(shape).filter((name) => !(name in environment) && !(`${name}_FILE` in environment));
    expect(missing.filter((name) => !NOT_FOR_COMPOSE.includes(name))).toEqual([]);
  });

  it('and the compose file give each service the connection string of its own PostgreSQL role, and no other', async () => {
    for (const { name } of launched) {
      const pod = podOf(
        of((await render()).manifests, 'Deployment').find(({ metadata }) => metadata.name === `roost-${name}`)!,
      );
      const mounted = pod?.containers[0]?.volumeMounts?.map((mount) => mount.name) ?? [];
      const seen = pod?.volumes
        ?.filter((volume) => mounted.includes(volume.name))
        .flatMap((volume) => volume.secret?.items ?? []);
      expect(seen?.filter(({ key }) => key.startsWith('database-url'))).toEqual([
        { key: `database-url-${name}`, path: 'database-url' },
      ]);
      expect(pod?.initContainers?.map(({ args }) => args)).toEqual([['database-roles', name]]);
      const secrets = compose.services[name]?.secrets ?? [];
      const urls = secrets.filter((secret) => JSON.stringify(secret).includes('database_url'));
      expect(urls).toEqual([{ source: `${name}_database_url`, target: 'database_url' }]);
      expect(compose.secrets[`${name}_database_url`]?.file).toMatch(`/database-url-${name}`);
      expect(compose.services[name]?.depends_on?.['database-roles']).toEqual({
        condition: 'service_completed_successfully',
      });
    }
  });

  it('lets services share a role where the database makes none', async () => {
    for (const manifest of of((await render(valueSets['an external database and bus'])).manifests, 'Deployment')) {
      expect(podOf(manifest)?.initContainers).toBeUndefined();
      expect(JSON.stringify(manifest)).not.toMatch(/database-url-/);
    }
  });

  it('passes helm lint --strict', async () => {
    await expect(lintChart()).resolves.toContain('0 chart(s) failed');
  });

  it('says what is missing', async () => {
    await expect(render({ ingress: { enabled: true } })).rejects.toThrow('ingress.host must be set');
    await expect(render({ nats: { bundled: false } })).rejects.toThrow('nats.peer must say whom workspaces may reach');
    await expect(render({ httpRoute: { enabled: true } })).rejects.toThrow('httpRoute.parentRefs must name a Gateway');
  });

  it('ends with notes on how to go on', async () => {
    expect((await render()).notes).toContain('helm test roost --namespace roost');
    expect((await render()).notes).toContain('port-forward service/roost-gateway 3000:80');
  });

  it('is what the plain manifests were made from: `npm run manifests` makes them again', async () => {
    expect(readFileSync(manifestsFile, 'utf8')).toBe(await plainManifests());
  });
});
