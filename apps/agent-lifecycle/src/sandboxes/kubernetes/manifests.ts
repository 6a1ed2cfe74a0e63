import type {
  KubernetesObject,
  V1NetworkPolicy,
  V1NetworkPolicyPeer,
  V1ObjectMeta,
  V1PersistentVolumeClaim,
  V1Secret,
  V1ServiceAccount,
  V1StatefulSet,
  V1Toleration,
} from '@kubernetes/client-node';
import { daemonConfig } from '../daemon.js';
import { limitsOf } from '../limits.js';
import type { WorkspaceSpec } from '../workspace-driver.js';
import { AGENT, CREDENTIALS_END, labelsOf, NETWORK, nameOf } from './names.js';
import type { KubernetesSettings } from './settings.js';

export interface Addresses {
  bus: string;
  egress: string;
}

export interface SecretParts {
  credentials: string;
  /** Of the credentials, in seconds since 1970. */
  endsAt: number;
  egressToken: string;
  /** Of the egress process's authority, PEM. */
  certificate: string;
  addresses: Addresses;
}

const CONFIG_FOLDER = '/run/roost/config';

/** As the image's own entry point: its loader can be run and not read, which hides the daemon from the agent's commands. */
const daemonCommand = [
  ...['/usr/lib/roost/init', '--', '/usr/lib/roost/loader', '/usr/local/bin/node'],
  ...['--max-old-space-size=192', '--max-semi-space-size=2', '/usr/lib/roost/workspace-daemon.cjs'],
];

/**
 * The volume claim: the root of a workspace. Everything else is owned by it, so that deleting it deletes all of it,
 * whoever deletes it and whatever crashes meanwhile. `found`: the claim as it is, to be expanded.
 */
export function volumeClaim(
  settings: KubernetesSettings,
  { agentId, volumeBytes }: WorkspaceSpec,
  found?: V1PersistentVolumeClaim,
): V1PersistentVolumeClaim {
  // Of a claim that is there only the size may be another: it stays with its class when the settings name a new one.
  const storageClassName = found ? found.spec?.storageClassName : settings.storageClass;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(settings, agentId),
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...(storageClassName ? { storageClassName } : {}),
      resources: { requests: { storage: String(volumeBytes) } },
    },
  };
}

/** An account that nothing is granted to; its token is mounted nowhere. */
export function serviceAccount(settings: KubernetesSettings, agentId: string, ownerUid: string): V1ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(settings, agentId, ownerUid),
    automountServiceAccountToken: false,
  };
}

/** The daemon's configuration and the workspace's own bus credentials: no other secret gets near a pod. */
export function secret(
  settings: KubernetesSettings,
  spec: WorkspaceSpec,
  ownerUid: string,
  { credentials, endsAt, egressToken, certificate, addresses }: SecretParts,
): V1Secret {
  const limits = limitsOf(spec);
  const config = {
    workspace: daemonConfig(spec, limits, { certificate }),
    bus: { host: addresses.bus, port: settings.bus.port },
    egress: { host: addresses.egress, port: settings.egress.port, token: egressToken },
  };
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata(settings, spec.agentId, ownerUid), annotations: { [CREDENTIALS_END]: String(endsAt) } },
    type: 'Opaque',
    data: { 'workspace.json': base64(JSON.stringify(config)), 'bus.creds': base64(credentials) },
  };
}

/** Nobody reaches the pod; the pod reaches the bus and the egress proxy, and no name server. */
export function networkPolicy(settings: KubernetesSettings, agentId: string, ownerUid: string): V1NetworkPolicy {
  const to = ({ peer, port, podPort = port }: KubernetesSettings['bus']) => ({
    to: [peer as V1NetworkPolicyPeer],
    ports: [{ protocol: 'TCP', port: podPort }],
  });
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(settings, agentId, ownerUid),
    spec: {
      podSelector: { matchLabels: { [AGENT]: agentId } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [to(settings.bus), to(settings.egress)],
    },
  };
}

/** The pod, once: under Pod Security "restricted". A changed template counts at the next start, never by itself. */
export function statefulSet(settings: KubernetesSettings, spec: WorkspaceSpec, ownerUid: string): V1StatefulSet {
  const { agentId } = spec;
  const name = nameOf(settings.instance, agentId);
  const labels = labelsOf(settings.instance, agentId);
  const limits = limitsOf(spec);
  const memory = String(limits.memoryBytes);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      ...metadata(settings, agentId, ownerUid),
      annotations: { [NETWORK]: JSON.stringify(spec.network) },
    },
    spec: {
      serviceName: name,
      replicas: 1,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      revisionHistoryLimit: 1,
      selector: { matchLabels: { [AGENT]: agentId } },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: name,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          // The addresses are in the configuration; asking for a name must not work, and not wait either.
          dnsPolicy: 'None',
          dnsConfig: { nameservers: ['127.0.0.1'] },
          terminationGracePeriodSeconds: 5,
          ...(settings.runtimeClassName ? { runtimeClassName: settings.runtimeClassName } : {}),
          ...(settings.imagePullSecrets.length
            ? { imagePullSecrets: settings.imagePullSecrets.map((secretName) => ({ name: secretName })) }
            : {}),
          nodeSelector: settings.nodeSelector,
          tolerations: settings.tolerations as V1Toleration[],
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            runAsGroup: 1000,
            fsGroup: 1000,
            fsGroupChangePolicy: 'OnRootMismatch',
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'workspace',
              image: settings.image,
              imagePullPolicy: settings.imagePullPolicy,
              command: daemonCommand,
              args: ['--cluster', CONFIG_FOLDER],
              workingDir: '/workspace',
              securityContext: {
                allowPrivilegeEscalation: false,
                privileged: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              // Memory is what is asked for: a node that promised more than it has ends workspaces at random.
              resources: {
                requests: { cpu: `${Math.min(50, limits.cpuMillis)}m`, memory },
                limits: { cpu: `${limits.cpuMillis}m`, memory },
              },
              volumeMounts: [
                { name: 'volume', mountPath: '/workspace' },
                { name: 'tmp', mountPath: '/tmp' },
                { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: 'volume', persistentVolumeClaim: { claimName: name } },
            { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: String(limits.tmpBytes) } },
            { name: 'config', secret: { secretName: name, defaultMode: 0o440 } },
          ],
        },
      },
    },
  };
}

/** Everything but the volume claim, in the order in which a pod needs it. */
export function dependents(
  settings: KubernetesSettings,
  spec: WorkspaceSpec,
  ownerUid: string,
  parts: SecretParts,
): KubernetesObject[] {
  return [
    serviceAccount(settings, spec.agentId, ownerUid),
    networkPolicy(settings, spec.agentId, ownerUid),
    secret(settings, spec, ownerUid, parts),
    statefulSet(settings, spec, ownerUid),
  ];
}

function metadata({ instance, namespace }: KubernetesSettings, agentId: string, ownerUid?: string): V1ObjectMeta {
  const name = nameOf(instance, agentId);
  const owner = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    name,
    uid: ownerUid ?? '',
    blockOwnerDeletion: true,
  };
  return {
    name,
    namespace,
    labels: labelsOf(instance, agentId),
    ...(ownerUid === undefined ? {} : { ownerReferences: [owner] }),
  };
}
