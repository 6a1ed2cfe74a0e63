import type { ContainerSpec, PodSpec } from './objects.js';

const volumeKinds = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** What the Pod Security Standard "restricted" (https://kubernetes.io/docs/concepts/security/pod-security-standards/) forbids of a pod. */
export function violationsOfRestricted(spec: PodSpec): string[] {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  return [
    ...(spec.hostNetwork || spec.hostPID || spec.hostIPC ? ['host namespaces'] : []),
    ...(spec.volumes ?? []).flatMap(({ name, ...source }) => {
      const kind = Object.keys(source)[0] ?? 'emptyDir';
      return volumeKinds.includes(kind) ? [] : [`restricted volume types (volume "${name}" uses ${kind})`];
    }),
    ...containers.flatMap((container) => violationsOfContainer(container, spec)),
  ];
}

function violationsOfContainer({ name, ports, securityContext: own = {} }: ContainerSpec, pod: PodSpec): string[] {
  const shared = pod.securityContext ?? {};
  const rules: [boolean, string][] = [
    [own.privileged === true, 'privileged'],
    [own.allowPrivilegeEscalation !== false, 'allowPrivilegeEscalation != false'],
    [!(own.capabilities?.drop ?? []).includes('ALL'), 'unrestricted capabilities (must drop ALL)'],
    [(own.capabilities?.add ?? []).some((added) => added !== 'NET_BIND_SERVICE'), 'unrestricted capabilities (adds)'],
    [(own.runAsNonRoot ?? shared.runAsNonRoot) !== true, 'runAsNonRoot != true'],
    [(own.runAsUser ?? shared.runAsUser) === 0, 'runAsUser=0'],
    [own.procMount !== undefined && own.procMount !== 'Default', 'procMount'],
    [(ports ?? []).some(({ hostPort }) => (hostPort ?? 0) > 0), 'hostPort'],
    [
      !['RuntimeDefault', 'Localhost'].includes((own.seccompProfile ?? shared.seccompProfile)?.type ?? ''),
      'seccompProfile (must be RuntimeDefault or Localhost)',
    ],
  ];
  return rules.flatMap(([isBroken, rule]) => (isBroken ? [`${rule} (container "${name}")`] : []));
}
