import { describe, expect, it } from 'vitest';
import type { ContainerSpec, PodSpec, SecurityContext } from './objects.js';
import { type PodSecurityLevel, violationsOfPodSecurity } from './pod-security.js';

const own: SecurityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const pod: PodSpec = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [{ name: 'main', securityContext: own }],
};
const withPod = (securityContext: SecurityContext): PodSpec => ({
  ...pod,
  securityContext: { ...pod.securityContext, ...securityContext },
});
const withContainer = (container: Partial<ContainerSpec>): PodSpec => ({
  ...pod,
  containers: [{ name: 'main', ...container, securityContext: { ...own, ...container.securityContext } }],
});
const withOwn = (securityContext: SecurityContext) => withContainer({ securityContext });
const withVolume = (source: object): PodSpec => ({ ...pod, volumes: [{ name: 'v', ...source }] });

/** A pod that breaks a rule, and what only that rule says: the rows of the published tables. */
const broken: [level: PodSecurityLevel, rule: string, PodSpec][] = [
  ['baseline', 'hostProcess', withPod({ windowsOptions: { hostProcess: true } })],
  ['baseline', 'hostProcess', withOwn({ windowsOptions: { hostProcess: true } })],
  ['baseline', 'host namespaces', { ...pod, hostNetwork: true }],
  ['baseline', 'host namespaces', { ...pod, hostPID: true }],
  ['baseline', 'host namespaces', { ...pod, hostIPC: true }],
  ['baseline', 'privileged', withOwn({ privileged: true })],
  ['baseline', 'non-default capabilities', withOwn({ capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } })],
  ['baseline', 'hostPath volumes', withVolume({ hostPath: { path: '/' } })],
  ['baseline', 'hostPort', withContainer({ ports: [{ hostPort: 80 }] })],
  ['baseline', 'probe or lifecycle host', withContainer({ livenessProbe: { httpGet: { host: '127.0.0.1' } } })],
  ['baseline', 'probe or lifecycle host', withContainer({ startupProbe: { tcpSocket: { host: '127.0.0.1' } } })],
  ['baseline', 'probe or lifecycle host', withContainer({ lifecycle: { preStop: { httpGet: { host: 'a' } } } })],
  ['baseline', 'forbidden AppArmor profiles', withPod({ appArmorProfile: { type: 'Unconfined' } })],
  ['baseline', 'seLinuxOptions', withPod({ seLinuxOptions: { type: 'spc_t' } })],
  ['baseline', 'seLinuxOptions', withOwn({ seLinuxOptions: { user: 'system_u' } })],
  ['baseline', 'procMount', withOwn({ procMount: 'Unmasked' })],
  ['baseline', 'seccompProfile', withOwn({ seccompProfile: { type: 'Unconfined' } })],
  ['baseline', 'forbidden sysctls', withPod({ sysctls: [{ name: 'kernel.msgmax', value: '1' }] })],
  ['restricted', 'restricted volume types', withVolume({ nfs: { server: 'a', path: '/' } })],
  ['restricted', 'allowPrivilegeEscalation != false', withOwn({ allowPrivilegeEscalation: true })],
  ['restricted', 'runAsNonRoot != true', withPod({ runAsNonRoot: false })],
  ['restricted', 'runAsNonRoot != true', withOwn({ runAsNonRoot: false })],
  ['restricted', 'runAsUser=0', withPod({ runAsUser: 0 })],
  ['restricted', 'runAsUser=0', withOwn({ runAsUser: 0 })],
  ['restricted', 'seccompProfile must be set', { ...pod, securityContext: { runAsNonRoot: true } }],
  ['restricted', 'unrestricted capabilities', withOwn({ capabilities: { drop: ['NET_RAW'] } })],
  ['restricted', 'unrestricted capabilities', withOwn({ capabilities: { drop: ['ALL'], add: ['CHOWN'] } })],
];

describe('the rules of the Pod Security Standards', () => {
  it('let a pod pass that keeps all of them', () => {
    expect(violationsOfPodSecurity('restricted', pod)).toEqual([]);
    expect(
      violationsOfPodSecurity('restricted', withOwn({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } })),
    ).toEqual([]);
  });

  it.each(broken)('refuse under %s, by %s', (level, rule, spec) => {
    const starting = expect.stringMatching(new RegExp(`^${rule.replace(/[!=.]/g, '.')} \\(`)) as string;
    expect(violationsOfPodSecurity('restricted', spec)).toContainEqual(starting);
    if (level === 'baseline') expect(violationsOfPodSecurity('baseline', spec)).toEqual([starting]);
    else expect(violationsOfPodSecurity('baseline', spec)).toEqual([]);
  });

  it('look at init and ephemeral containers too', () => {
    for (const kind of ['initContainers', 'ephemeralContainers'] as const) {
      const spec = { ...pod, [kind]: [{ name: 'other', securityContext: { ...own, privileged: true } }] };
      expect(violationsOfPodSecurity('restricted', spec)).toEqual([
        'privileged (container "other" must set securityContext.privileged=false)',
      ]);
    }
  });
});
