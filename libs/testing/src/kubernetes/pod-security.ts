import type { ContainerSpec, PodSpec } from './objects.js';

export type PodSecurityLevel = 'baseline' | 'restricted';

interface Rule {
  level: PodSecurityLevel;
  /** What the API server calls it where it refuses a pod. */
  name: string;
  /** Which part of the pod breaks it, and what that must do. */
  brokenBy(pod: PodSpec): string[];
}

const BASELINE_CAPABILITIES = [
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP'],
  ...['SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
];
const SAFE_SYSCTLS = [
  ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_unprivileged_port_start'],
  ...['net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_local_reserved_ports'],
  ...['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl'],
  ...['net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'],
];
const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const RESTRICTED_VOLUMES = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret'],
];

/**
 * The Pod Security Standards of Kubernetes 1.35, a rule per row of their two tables
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/). What is of Windows alone counts as well.
 */
const rules: Rule[] = [
  {
    level: 'baseline',
    name: 'hostProcess',
    brokenBy: inContexts(({ windowsOptions }) => windowsOptions?.hostProcess === true, 'hostProcess=false'),
  },
  {
    level: 'baseline',
    name: 'host namespaces',
    brokenBy: (pod) =>
      (['hostNetwork', 'hostPID', 'hostIPC'] as const).flatMap((of) => (pod[of] ? [`${of}=true`] : [])),
  },
  {
    level: 'baseline',
    name: 'privileged',
    brokenBy: inContainers(({ securityContext: own }) => own?.privileged === true, 'privileged=false'),
  },
  {
    level: 'baseline',
    name: 'non-default capabilities',
    brokenBy: inContainers(
      ({ securityContext: own }) =>
        (own?.capabilities?.add ?? []).some((added) => !BASELINE_CAPABILITIES.includes(added)),
      'capabilities.add to default ones',
    ),
  },
  { level: 'baseline', name: 'hostPath volumes', brokenBy: inVolumes((kind) => kind === 'hostPath') },
  {
    level: 'baseline',
    name: 'hostPort',
    brokenBy: inContainers(({ ports }) => (ports ?? []).some(({ hostPort }) => (hostPort ?? 0) > 0), 'no hostPort'),
  },
  {
    level: 'baseline',
    name: 'probe or lifecycle host',
    brokenBy: inContainers(
      ({ livenessProbe, readinessProbe, startupProbe, lifecycle }) =>
        [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].some(
          (handler) => (handler?.httpGet?.host ?? handler?.tcpSocket?.host ?? '') !== '',
        ),
      'no host of probes and lifecycle handlers',
    ),
  },
  {
    level: 'baseline',
    name: 'forbidden AppArmor profiles',
    brokenBy: inContexts(({ appArmorProfile }) => appArmorProfile?.type === 'Unconfined', 'appArmorProfile.type'),
  },
  {
    level: 'baseline',
    name: 'seLinuxOptions',
    brokenBy: inContexts(
      ({ seLinuxOptions: { type = '', user = '', role = '' } = {} }) =>
        !SELINUX_TYPES.includes(type) || user !== '' || role !== '',
      'seLinuxOptions to a container type, without user and role',
    ),
  },
  {
    level: 'baseline',
    name: 'procMount',
    brokenBy: inContainers(
      ({ securityContext: own }) => (own?.procMount ?? 'Default') !== 'Default',
      'procMount to "Default"',
    ),
  },
  {
    level: 'baseline',
    name: 'seccompProfile',
    brokenBy: inContexts(({ seccompProfile }) => seccompProfile?.type === 'Unconfined', 'a seccompProfile'),
  },
  {
    level: 'baseline',
    name: 'forbidden sysctls',
    brokenBy: ({ securityContext }) =>
      (securityContext?.sysctls ?? []).flatMap(({ name }) => (SAFE_SYSCTLS.includes(name) ? [] : [name])),
  },
  {
    level: 'restricted',
    name: 'restricted volume types',
    brokenBy: inVolumes((kind) => !RESTRICTED_VOLUMES.includes(kind)),
  },
  {
    level: 'restricted',
    name: 'allowPrivilegeEscalation != false',
    brokenBy: inContainers(
      ({ securityContext: own }) => own?.allowPrivilegeEscalation !== false,
      'allowPrivilegeEscalation=false',
    ),
  },
  {
    level: 'restricted',
    name: 'runAsNonRoot != true',
    brokenBy: inContainers(
      ({ securityContext: own }, pod) => (own?.runAsNonRoot ?? pod.securityContext?.runAsNonRoot) !== true,
      'runAsNonRoot=true',
    ),
  },
  { level: 'restricted', name: 'runAsUser=0', brokenBy: inContexts(({ runAsUser }) => runAsUser === 0, 'runAsUser') },
  {
    level: 'restricted',
    name: 'seccompProfile must be set',
    brokenBy: inContainers(
      ({ securityContext: own }, pod) =>
        !['RuntimeDefault', 'Localhost'].includes(
          (own?.seccompProfile ?? pod.securityContext?.seccompProfile)?.type ?? '',
        ),
      'seccompProfile.type to "RuntimeDefault" or "Localhost"',
    ),
  },
  {
    level: 'restricted',
    name: 'unrestricted capabilities',
    brokenBy: inContainers(
      ({ securityContext: own }) =>
        !(own?.capabilities?.drop ?? []).includes('ALL') ||
        (own?.capabilities?.add ?? []).some((added) => added !== 'NET_BIND_SERVICE'),
      'capabilities.drop=["ALL"] and add at most "NET_BIND_SERVICE"',
    ),
  },
];

/** What the standard forbids of a pod: "restricted" includes "baseline". */
export function violationsOfPodSecurity(level: PodSecurityLevel, pod: PodSpec): string[] {
  return rules
    .filter((rule) => level === 'restricted' || rule.level === 'baseline')
    .flatMap(({ name, brokenBy }) => {
      const parts = brokenBy(pod);
      return parts.length > 0 ? [`${name} (${parts.join(', ')})`] : [];
    });
}

function containersOf({ initContainers = [], containers = [], ephemeralContainers = [] }: PodSpec): ContainerSpec[] {
  return [...initContainers, ...containers, ...ephemeralContainers];
}

function inContainers(isBroken: (container: ContainerSpec, pod: PodSpec) => boolean, wanted: string): Rule['brokenBy'] {
  return (pod) =>
    containersOf(pod)
      .filter((container) => isBroken(container, pod))
      .map(({ name }) => `container "${name}" must set securityContext.${wanted}`);
}

/** In what the pod says for all containers, and in what each says for itself. */
function inContexts(
  isBroken: (context: NonNullable<ContainerSpec['securityContext']>) => boolean,
  wanted: string,
): Rule['brokenBy'] {
  return (pod) => [
    ...(isBroken(pod.securityContext ?? {}) ? [`pod must set securityContext.${wanted}`] : []),
    ...inContainers(({ securityContext }) => isBroken(securityContext ?? {}), wanted)(pod),
  ];
}

function inVolumes(isBroken: (kind: string) => boolean): Rule['brokenBy'] {
  return ({ volumes }) =>
    (volumes ?? []).flatMap(({ name, ...source }) => {
      const kind = Object.keys(source)[0] ?? 'emptyDir';
      return isBroken(kind) ? [`volume "${name}" uses ${kind}`] : [];
    });
}
