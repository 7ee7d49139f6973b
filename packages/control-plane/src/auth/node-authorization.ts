/** Whether a node agent may have the certificate of one of its node's workloads (facts of Istio's node authorizer, and more). */
import { formatSpiffe, parseSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';
import { list, ValueError } from '@ambient/runtime';

import { AuthError } from './auth-error.ts';
import type { AuthErrorCode } from './auth-error.ts';
import type { Caller } from './caller.ts';

/** A pod as far as this decision needs it. */
export interface PodFacts {
  readonly uid: string;
  readonly serviceAccount: string;
  /** '' before it is scheduled. */
  readonly nodeName: string;
  /** `status.phase`, '' if unknown. */
  readonly phase: string;
}

/** Pods of one cluster. */
export interface PodLookup {
  podByName(namespace: string, name: string): PodFacts | undefined;
  /** Whether a pod of this account that has not failed is on the node. */
  hasPodOnNode(nodeName: string, namespace: string, serviceAccount: string): boolean;
}

export interface NodeAuthorizerOptions {
  /** `NAMESPACE/ACCOUNT` of node agents (`CA_TRUSTED_NODE_ACCOUNTS`); empty: nobody acts for others. */
  readonly trustedAccounts: ReadonlySet<string>;
  readonly trustDomain: () => string;
  /** By `clusterid`, exactly. */
  readonly clusters: ReadonlyMap<string, PodLookup>;
}

/**
 * Reads `CA_TRUSTED_NODE_ACCOUNTS`: `NAMESPACE/ACCOUNT`, separated by commas; empty: none.
 *
 * @throws ValueError that names the entry; an entry that was dropped would leave a whole cluster without certificates
 */
export function parseTrustedAccounts(text: string): ReadonlySet<string> {
  const accounts = list.parse(text);
  for (const entry of accounts) {
    const [namespace = '', serviceAccount = '', ...rest] = entry.split('/');
    if (rest.length > 0 || !isKubernetesName({ namespace, serviceAccount }))
      throw new ValueError(`${JSON.stringify(entry)} is not NAMESPACE/SERVICEACCOUNT`);
  }
  return new Set(accounts);
}

/** Decides who may act for whom. Pure, up to its lookups. */
export class NodeAuthorizer {
  readonly #options: NodeAuthorizerOptions;

  constructor(options: NodeAuthorizerOptions) {
    this.#options = options;
  }

  isNodeAgent(caller: Caller): boolean {
    const { namespace, serviceAccount } = caller.identity;
    return this.#options.trustedAccounts.has(`${namespace}/${serviceAccount}`);
  }

  /**
   * The identity to issue for, made anew from its parts, so that nothing of the caller's text ends up in a certificate.
   *
   * @param requested `ImpersonatedIdentity` as sent
   * @returns that identity, and the node that both pods are on
   * @throws AuthError
   */
  authorize(caller: Caller, requested: string): { readonly identity: Identity; readonly nodeName: string } {
    if (caller.proof !== 'token')
      throw refuse(
        'impersonation-by-certificate',
        caller,
        'proved itself by certificate',
        'Send a pod-bound token.',
      );
    if (!this.isNodeAgent(caller))
      throw refuse(
        'impersonation-untrusted',
        caller,
        'is no node agent',
        `Add its account to CA_TRUSTED_NODE_ACCOUNTS if it is ztunnel's.`,
      );
    // A list, a second name, escapes: whatever is not one plain identity is refused whole.
    const wanted = parseSpiffe(requested);
    if (wanted === undefined || !isKubernetesName(wanted))
      throw refuse(
        'impersonation-malformed',
        caller,
        `asked for ${JSON.stringify(requested.slice(0, 200))}, which is not one spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT`,
        'Check the version of ztunnel.',
      );
    const trustDomain = this.#options.trustDomain();
    if (wanted.trustDomain !== trustDomain)
      throw refuse(
        'impersonation-trust-domain',
        caller,
        `asked for trust domain ${wanted.trustDomain}, and this mesh is ${trustDomain}`,
        'Give the control plane and its proxies one trust domain.',
      );
    const nodeName = this.#nodeOf(caller);
    const pods = this.#podsOf(caller);
    if (!pods.hasPodOnNode(nodeName, wanted.namespace, wanted.serviceAccount))
      throw refuse(
        'impersonation-node',
        caller,
        `asked for ${formatSpiffe(wanted)}, and no such pod is on its node ${nodeName}`,
        'It heals when the control plane sees the pod; otherwise look for who asks for other nodes.',
      );
    return {
      identity: { trustDomain, namespace: wanted.namespace, serviceAccount: wanted.serviceAccount },
      nodeName,
    };
  }

  /**
   * The node of the live pod that the caller's token is bound to.
   *
   * @throws AuthError
   */
  #nodeOf(caller: Caller): string {
    const pods = this.#podsOf(caller);
    if (caller.pod === undefined)
      throw refuse(
        'impersonation-unbound-token',
        caller,
        'has a token that is bound to no pod',
        'Mount a projected serviceAccountToken instead of a token Secret.',
      );
    const nodeName = livePodNode(caller, pods);
    if (nodeName === undefined)
      throw refuse(
        'impersonation-stale-pod',
        caller,
        `has a token of pod ${caller.pod.name} (uid ${caller.pod.uid}), which does not run as this account on a node`,
        'The pod was likely replaced: its successor brings a token of its own.',
      );
    return nodeName;
  }

  #podsOf(caller: Caller): PodLookup {
    const pods = this.#options.clusters.get(caller.clusterId);
    if (pods === undefined)
      throw refuse(
        'impersonation-cluster',
        caller,
        `sent clusterid ${JSON.stringify(caller.clusterId.slice(0, 100))}`,
        `Set CLUSTER_ID of ztunnel to one of: ${Array.from(this.#options.clusters.keys()).join(', ')}.`,
      );
    return pods;
  }
}

/**
 * The node of the pod that a token is bound to; undefined if there is no such pod any more, it runs as another account,
 * has ended, is on no node yet, or is on another node than the token says.
 */
export function livePodNode(caller: Caller, pods: PodLookup): string | undefined {
  if (caller.pod === undefined) return undefined;
  const pod = pods.podByName(caller.identity.namespace, caller.pod.name);
  if (
    pod === undefined ||
    pod.uid !== caller.pod.uid ||
    pod.serviceAccount !== caller.identity.serviceAccount ||
    pod.phase === 'Failed' ||
    pod.phase === 'Succeeded' ||
    pod.nodeName === '' ||
    (caller.nodeName !== undefined && caller.nodeName !== pod.nodeName)
  )
    return undefined;
  return pod.nodeName;
}

/** Accounts and namespaces of Kubernetes have no capitals and no underscores (RFC 1123). */
function isKubernetesName({ namespace, serviceAccount }: Omit<Identity, 'trustDomain'>): boolean {
  return (
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace) &&
    /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(serviceAccount)
  );
}

function refuse(code: AuthErrorCode, caller: Caller, what: string, remedy: string): AuthError {
  const { namespace, serviceAccount } = caller.identity;
  return new AuthError(
    code,
    `${namespace}/${serviceAccount} may not act for other workloads: the caller ${what}. ${remedy}`,
  );
}
