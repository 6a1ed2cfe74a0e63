import type { ObjectStore } from './object-store.js';
import { ApiRefusal, type Plural, type PodSpec } from './objects.js';
import { violationsOfPodSecurity } from './pod-security.js';

export interface AdmissionRules {
  /** A ResourceQuota: how many there may be. */
  quota?: Partial<Record<Plural, number>> | undefined;
}

/** Refuses what a namespace with the label `enforce: restricted` and a quota refuses. Errors: 403. */
export function admit(store: ObjectStore, rules: AdmissionRules, plural: Plural, name: string, spec?: PodSpec): void {
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

function forbidden(plural: Plural, name: string, why: string): ApiRefusal {
  return new ApiRefusal(403, 'Forbidden', `${plural} "${name}" is forbidden: ${why}`);
}
