import type { AuthorizationPolicy, PeerAuthentication, Pod } from '@ambient/kube';
import type { PolicySettings } from './policy-settings.ts';

export const mesh: PolicySettings = { rootNamespace: 'istio-system', trustDomain: 'cluster.local' };

/** A policy whose spec may be anything: what the API server stores is not always what the types say. */
export function authorizationPolicy(
  spec: unknown,
  {
    name = 'p',
    namespace = 'app',
    annotations = {},
  }: { name?: string; namespace?: string; annotations?: Record<string, string> } = {},
): AuthorizationPolicy {
  const metadata = { name, namespace, uid: `${namespace}-${name}`, annotations, generation: 3 };
  return { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata, spec: spec as object };
}

/** @param age the higher, the younger */
export function peerAuthentication(
  spec: unknown,
  { name = 'pa', namespace = 'app', age = 0 }: { name?: string; namespace?: string; age?: number } = {},
): PeerAuthentication {
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1, 0, 0, age)).toISOString().replace('.000', '');
  const metadata = { name, namespace, uid: `${namespace}-${name}`, creationTimestamp };
  return { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', metadata, spec: spec as object };
}

export function pod(
  name: string,
  namespace: string,
  labels: Record<string, string>,
  serviceAccountName?: string,
): Pod {
  const metadata = { name, namespace, uid: name, labels };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { ...(serviceAccountName === undefined ? {} : { serviceAccountName }) },
  };
}
