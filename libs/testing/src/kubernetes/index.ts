/** A Kubernetes API server for tests, with what runs beside it. */
export { type Fault, KubernetesDouble, type KubernetesDoubleOptions } from './api-server.js';
export { sandboxedPods } from './sandboxed-pods.js';
export type { ApiRequest } from './requests.js';
export type { PodSpec } from './objects.js';
export type { PodProcess, PodStart } from './kubelet.js';
export { type PodSecurityLevel, violationsOfPodSecurity } from './pod-security.js';
export { type DeclaredFields, declaredFields } from './declared-fields.js';
