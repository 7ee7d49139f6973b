// Objects that tests apply.
import { SHOP } from './mesh-cluster.ts';

/** A Service of both families in front of the pods with label `app`. */
export function service(
  app: string,
  ports: readonly number[],
  { name = app, ...more }: { readonly name?: string; readonly clusterIP?: string } = {},
): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: SHOP },
    spec: {
      selector: { app },
      ipFamilyPolicy: 'RequireDualStack',
      ports: ports.map((port) => ({ name: `tcp-${port}`, port, targetPort: port })),
      ...more,
    },
  };
}

/** PeerAuthentication of a namespace. */
export function strict(namespace = SHOP): object {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'strict', namespace },
    spec: { mtls: { mode: 'STRICT' } },
  };
}

/** AuthorizationPolicy about the pods with label `app`, by the identities of their clients. */
export function authorization(
  name: string,
  app: string,
  action: 'ALLOW' | 'DENY',
  accounts: readonly string[],
): object {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: SHOP },
    spec: {
      selector: { matchLabels: { app } },
      action,
      rules: [{ from: [{ source: { principals: accounts.map(principal) } }] }],
    },
  };
}

export function principal(account: string): string {
  return `cluster.local/ns/${SHOP}/sa/${account}`;
}

export function identity(account: string, namespace = SHOP): string {
  return `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
}

export const peerAuthentications = `/apis/security.istio.io/v1/namespaces/${SHOP}/peerauthentications`;
export const authorizationPolicies = `/apis/security.istio.io/v1/namespaces/${SHOP}/authorizationpolicies`;
