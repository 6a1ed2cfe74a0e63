import type { ObjectStore } from './object-store.js';
import type { Plural, PodSpec } from './objects.js';
import { violationsOfPodSecurity } from './pod-security.js';
import { forbidden } from './refusals.js';

export interface AdmissionRules {
  /** A ResourceQuota: how many there may be. */
  quota?: Partial<Record<Plural, number>> | undefined;
  /** The namespace is being deleted: nothing new is made in it. */
  isTerminating?: boolean;
  /** The RuntimeClasses that there are; undefined: any. */
  runtimeClasses?: string[];
}

/** Refuses what a namespace with the label `enforce: restricted` and a quota refuses. Errors: 403. */
export function admit(store: ObjectStore, rules: AdmissionRules, plural: Plural, name: string, spec?: PodSpec): void {
  if (rules.isTerminating) {
    const cause = {
      reason: 'NamespaceTerminating',
      message: 'namespace roost is being terminated',
      field: 'metadata.namespace',
    };
    const why = 'unable to create new content in namespace roost because it is being terminated';
    throw forbidden(plural, name, why, [cause]);
  }
  const { runtimeClassName } = spec ?? {};
  if (runtimeClassName !== undefined && rules.runtimeClasses?.includes(runtimeClassName) === false) {
    throw forbidden(plural, name, `pod rejected: RuntimeClass "${runtimeClassName}" not found`);
  }
  if (plural === 'pods' && spec) {
    const violations = violationsOfPodSecurity('restricted', spec);
    if (violations.length > 0) {
      const list = violations.join(', ');
      throw forbidden(plural, name, `violates PodSecurity "restricted:latest": ${list}`);
    }
  }
  const limit = rules.quota?.[plural];
  const used = store.all(plural).length;
  if (limit !== undefined && used >= limit) {
    const usage = `requested: ${plural}=1, used: ${plural}=${used}, limited: ${plural}=${limit}`;
    throw forbidden(plural, name, `exceeded quota: roost, ${usage}`);
  }
}
