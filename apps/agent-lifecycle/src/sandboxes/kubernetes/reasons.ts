import type { CoreV1Event, V1ContainerStatus, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { printable } from '#lib/bounded-streams';
import { RoostError } from '#lib/contracts';
import { hostAway, statusOf, unavailable } from '../host-errors.js';
import { messageOf, TYPED_PATCH } from './cluster.js';

/** Why a pod does not run, with what to do about it. Undefined: it only needs more time. */
export function whyPodFails(pod: V1Pod): string | undefined {
  const { status } = pod;
  const container = status?.containerStatuses?.[0];
  if (status?.phase === 'Failed' && status.reason === 'Evicted') {
    return `the node evicted the workspace (${status.message ?? 'it ran short of something'}): it is made again; if it keeps happening ask for less, or add nodes`;
  }
  if (status?.phase === 'Failed' && status.reason) {
    return `the node gave up the workspace: ${status.reason}${status.message ? ` (${status.message})` : ''}; it is made again`;
  }
  return container && whyContainerFails(container);
}

function whyContainerFails({ state, lastState, image }: V1ContainerStatus): string | undefined {
  const waiting = state?.waiting;
  if (['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'].includes(waiting?.reason ?? '')) {
    return `the workspace image ${image} cannot be pulled (${waiting?.message ?? waiting?.reason}): check the image's name in the settings, and imagePullSecrets where its registry wants a login`;
  }
  if (waiting?.reason === 'CreateContainerConfigError' || waiting?.reason === 'CreateContainerError') {
    return `the node cannot make the container: ${waiting.message ?? waiting.reason}`;
  }
  const ended = state?.terminated ?? (state?.running ? undefined : lastState?.terminated);
  if (!ended) return undefined;
  if (ended.reason === 'OOMKilled') {
    return 'the workspace used more memory than it may and was ended: raise resources.memory of the agent, or let it do less at once';
  }
  return `the workspace ended (${ended.reason ?? 'Error'}, exit code ${ended.exitCode})${ended.message ? `: ${printable(ended.message).slice(0, 500)}` : ''}; it is started again`;
}

/**
 * Why a workspace is not there though it was given its time: by what Kubernetes noted about its pod, its set and its
 * volume claim.
 */
export function whyPending(
  pod: V1Pod | undefined,
  claim: V1PersistentVolumeClaim | undefined,
  events: CoreV1Event[],
): string {
  const noted = (reason: RegExp) => events.find((event) => reason.test(event.reason ?? ''))?.message;
  if (claim?.status?.phase === 'Lost') {
    return `the volume ${claim.spec?.volumeName ?? ''} of the claim ${claim.metadata?.name ?? ''} is gone and the agent's files with it: restore the volume, or delete the agent`;
  }
  if (claim && claim.status?.phase !== 'Bound') {
    const why = noted(/^(ProvisioningFailed|FailedBinding)$/) ?? 'nothing was noted about it';
    if (/no storage class|storageclass.*not found/i.test(why)) {
      return `the volume cannot be made (${why}): give the cluster a default storage class, or name one in the settings`;
    }
    // With a class that waits for the pod, the pod is what is missing.
    if (noted(/^WaitForFirstConsumer$/) === undefined || noted(/^ProvisioningFailed$/) !== undefined) {
      return `the volume is still not there (${why}): look at the storage class's provisioner with kubectl describe pvc ${claim.metadata?.name ?? ''}`;
    }
  }
  if (!pod) {
    const why = noted(/^FailedCreate$/);
    if (why === undefined) return 'Kubernetes did not make the pod in time: is its controller manager well?';
    return refusal(why);
  }
  if (pod.metadata?.deletionTimestamp !== undefined) {
    return `the pod before it does not end: where its node ${pod.spec?.nodeName ?? ''} is away for good, delete the node, or the pod with kubectl delete pod ${pod.metadata.name ?? ''} --force`;
  }
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled) {
    return `no node takes the workspace (${unscheduled.message ?? unscheduled.reason}): add nodes, free some, or check nodeSelector and tolerations in the settings`;
  }
  if (pod.status?.phase === 'Running') {
    return 'the pod runs but does not answer on the bus: check that its network policy lets it reach NATS, and the address of the bus in the settings';
  }
  const sandbox = noted(/^FailedCreatePodSandBox$/);
  if (sandbox !== undefined) {
    return `the node cannot make the pod's sandbox (${sandbox}): where the settings name a runtimeClassName, its runtime must be on every node that workspaces may go to`;
  }
  const mount = noted(/^(FailedMount|FailedAttachVolume)$/);
  if (mount !== undefined) return `the volume cannot be mounted: ${mount}`;
  return `the pod is ${pod.status?.phase ?? 'Pending'} for too long: kubectl describe pod ${pod.metadata?.name ?? ''} says more`;
}

/** A refused or failed request as an agent's error. */
export function apiError(error: unknown): RoostError {
  if (error instanceof RoostError) return error;
  const status = statusOf(error);
  const message = messageOf(error);
  if (status === undefined) {
    return hostAway(
      `the Kubernetes API does not answer (${message}): workspaces that run go on; check the API server, it is tried again`,
    );
  }
  if (status === 401) return unavailable(`the Kubernetes API does not know us: ${message}`);
  return unavailable(refusal(message, status));
}

/** `status` is undefined for what a controller was refused, and only noted. */
function refusal(message: string, status?: number): string {
  const [, why] = refusals.find(([said]) => said.test(message)) ?? [];
  if (why !== undefined) return why(message);
  if (status === 403) return `Kubernetes refuses it (${message}): check the Role of the agent-lifecycle service`;
  if (status === 400 || status === 422) return `Kubernetes does not accept it: ${message}`;
  if (status === undefined) return `Kubernetes refuses it: ${message}`;
  return `the Kubernetes API fails (${status}: ${message}); it is tried again`;
}

/** What API servers say in words alone: their status and reason are those of many other refusals. */
const refusals: [RegExp, (message: string) => string][] = [
  [
    /exceeded quota/i,
    (message) => `the namespace's quota is used up (${message}): raise it, or delete agents or make them smaller`,
  ],
  [
    /failed quota|(maximum|minimum) .* usage per/i,
    (message) =>
      `the namespace's quota or limit range does not fit it (${message}): change it, or the agent's resources`,
  ],
  [
    /violates PodSecurity|pod security/i,
    (message) =>
      `the namespace's Pod Security admission refuses the pod (${message}): the settings ask for something "restricted" forbids`,
  ],
  [
    /RuntimeClass ".*" not found/,
    (message) =>
      `the cluster has no such runtime class (${message}): make it, or set another workspaces.runtimeClassName`,
  ],
  [
    /must support resize/i,
    (message) =>
      `the storage class cannot enlarge volumes (${message}): set allowVolumeExpansion on it, or set pvc_size back`,
  ],
  [
    /it is being terminated/,
    (message) => `the namespace is being deleted (${message}): install Roost in another, or wait and install it again`,
  ],
  [/^namespaces ".*" not found$/, (message) => `the namespace is not there (${message}): check it in the settings`],
  [
    /denied the request|ValidatingAdmissionPolicy/,
    (message) => `an admission policy of the cluster refuses it (${message}): ask whoever made the policy`,
  ],
  [
    TYPED_PATCH,
    (message) =>
      `the settings hold something that Kubernetes does not know (${message}): check workspaces.tolerations and nats.peer`,
  ],
];

export function nameTaken(kind: string, name: string): RoostError {
  return unavailable(
    `a ${kind} named ${name} exists that is not this Roost's: remove or rename it, or give this Roost another instance name in the settings`,
  );
}
