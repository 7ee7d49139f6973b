/** The ConfigMaps by which proxies learn the roots and the revocation list: what each namespace should hold. Pure. */

/** A ConfigMap to be applied. */
export interface DesiredConfigMap {
  readonly apiVersion: 'v1';
  readonly kind: 'ConfigMap';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly data: Readonly<Record<string, string>>;
}

export const rootConfigMapName = 'istio-ca-root-cert';
export const crlConfigMapName = 'istio-ca-crl';

/** Namespaces of Kubernetes' own, where no workload of a mesh runs, as in Istio. */
const skipped = new Set(['kube-public', 'kube-node-lease', 'local-path-storage']);

/** Whether a namespace gets the ConfigMaps; one that is being deleted takes nothing new. */
export function takesTrust(namespace: string, phase: string | undefined): boolean {
  return !skipped.has(namespace) && phase !== 'Terminating';
}

/** The roots. @param rootsPem that of the signing authority first */
export function rootConfigMap(namespace: string, rootsPem: readonly string[]): DesiredConfigMap {
  return configMap(namespace, rootConfigMapName, 'root-cert.pem', rootsPem.join(''));
}

/** The revocation lists, PEM. */
export function crlConfigMap(namespace: string, crlPem: string): DesiredConfigMap {
  return configMap(namespace, crlConfigMapName, 'ca-crl.pem', crlPem);
}

function configMap(namespace: string, name: string, key: string, content: string): DesiredConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { 'istio.io/config': 'true' } },
    data: { [key]: content },
  };
}
