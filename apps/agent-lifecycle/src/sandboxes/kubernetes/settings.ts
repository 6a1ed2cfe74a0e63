import { z } from 'zod';

const Labels = z.record(z.string(), z.string());

/** Where something in the cluster is reached, and which pods or addresses the network policy lets workspaces reach for it. */
const Reachable = z.strictObject({
  /** A name is resolved by the lifecycle service: a workspace has no DNS. */
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535),
  /** A NetworkPolicyPeer: `{"podSelector": …}`, `{"namespaceSelector": …, "podSelector": …}` or `{"ipBlock": …}`. */
  peer: z.record(z.string(), z.unknown()).refine((peer) => Object.keys(peer).length > 0, 'must name somebody'),
  /** The pods' own port where it differs from the service's: network policies see that one. */
  podPort: z.number().int().min(1).max(65_535).optional(),
});

/** ROOST_KUBERNETES: how workspaces become pods, as JSON. */
export const KubernetesSettings = z.strictObject({
  namespace: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a namespace'),
  /** Labels and names what is this Roost's; another for each Roost in a namespace. */
  instance: z
    .string()
    .regex(/^[a-z]([-a-z0-9]{0,13}[a-z0-9])?$/, 'must be up to 15 lower case letters, digits and dashes')
    .default('roost'),
  image: z.string().min(1),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  imagePullSecrets: z.array(z.string()).default([]),
  /** Empty: the cluster's default class. */
  storageClass: z.string().optional(),
  /** A sandboxing runtime, e.g. gVisor's or Kata's class; empty: the nodes' default. */
  runtimeClassName: z.string().optional(),
  nodeSelector: Labels.default({}),
  tolerations: z.array(z.record(z.string(), z.unknown())).default([]),
  bus: Reachable,
  egress: Reachable,
  /** What a workspace may take to answer: a node may have to be added and an image pulled. */
  startTimeoutMs: z.number().int().min(1_000).max(600_000).default(120_000),
});
export type KubernetesSettings = z.output<typeof KubernetesSettings>;

/** The settings out of their text. Errors: what is wrong in them, for the configuration's complaint. */
export const kubernetesSettings = z.string().transform((text, context): KubernetesSettings => {
  try {
    return KubernetesSettings.parse(JSON.parse(text));
  } catch (error) {
    const message = error instanceof z.ZodError ? z.prettifyError(error) : 'must be JSON';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
});
