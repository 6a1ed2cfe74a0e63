import { declaredFields } from '#lib/testing';
import type { Manifest } from '#tools/helm';

/** Of custom resources, of which Kubernetes' own document knows nothing. */
const GATEWAY_API = 'gateway.networking.k8s.io/';

/**
 * Refuses what an API server would: what the published JSON schema of the kind says (required fields, types, formats,
 * choices), and fields that the OpenAPI document does not declare.
 */
export async function validate(manifest: Pick<Manifest, 'apiVersion' | 'kind'>): Promise<void> {
  const { apiVersion, kind } = manifest;
  const family = apiVersion.startsWith(GATEWAY_API) ? '@kubernetes-models/gateway-api' : 'kubernetes-models';
  const models = (await import(`${family}/${apiVersion}`)) as Record<
    string,
    new (data: object) => { validate(): void }
  >;
  const Model = models[kind];
  if (!Model) throw new Error(`there is no schema of ${apiVersion} ${kind}`);
  new Model(manifest).validate();
  if (apiVersion.startsWith(GATEWAY_API)) return;
  const undeclared = (await declaredFields()).violationsOf(manifest);
  if (undeclared.length > 0) throw new Error(undeclared.join(', '));
}
