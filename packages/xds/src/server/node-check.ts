import { isIP } from 'node:net';
import type { envoy } from '@ambient/wire';

import { DiscoveryRefusal } from './refusal.ts';

/** Who a client proved to be. What is absent was not proven, and is not compared (a port without authentication). */
export interface ClientIdentity {
  /** For logs and debug pages, such as a SPIFFE name. */
  readonly principal: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** Node that the client's token is bound to. */
  readonly node?: string;
}

/** What a client says of itself. */
export interface ClientNode {
  /** `type~ip~name.namespace~domain`. */
  readonly id: string;
  readonly type: string;
  readonly namespace: string;
  readonly nodeName: string;
  /** '' if it does not say. */
  readonly clusterId: string;
  /** Version of the proxy, '' if it does not say. */
  readonly version: string;
}

/** Longer than a namespace, a name and a domain of greatest length make together. */
const maxNodeIdLength = 1024;
/** Of what is only shown; it is the client's text. */
const maxShownLength = 253;

/**
 * Checks what the first request says of its sender: an id of four parts with an IP address, and nothing that contradicts the
 * identity. Namespace, and service account if it is given, must agree; the node name too, since the workloads of a node go to
 * its clients unasked.
 *
 * @throws DiscoveryRefusal XDS_NODE_INVALID or XDS_NODE_FOREIGN
 */
export function checkNode(
  node: envoy.config.core.v3.INode | null | undefined,
  identity: ClientIdentity,
): ClientNode {
  if (node === null || node === undefined)
    throw invalid('the first request carries no node; the client has to send one with an id and metadata');
  const id = node.id ?? '';
  if (id.length > maxNodeIdLength)
    throw invalid(`node id ${quote(id)} has more than ${maxNodeIdLength} characters`);
  const parts = id.split('~');
  const [type = '', ip = '', , domain = ''] = parts;
  if (parts.length !== 4)
    throw invalid(
      `node id ${quote(id)} has ${parts.length} parts; it has to be type~ip~name.namespace~domain`,
    );
  if (isIP(ip) === 0) throw invalid(`node id ${quote(id)} holds ${quote(ip)} where its IP address belongs`);
  const text = (key: string): string => node.metadata?.fields?.[key]?.stringValue ?? '';
  const namespace = text('NAMESPACE') || domain.slice(0, Math.max(0, domain.indexOf('.')));
  const serviceAccount = text('SERVICE_ACCOUNT');
  const nodeName = text('NODE_NAME');
  if (identity.namespace !== undefined && identity.namespace !== namespace)
    throw foreign(identity, 'namespace', identity.namespace, namespace, 'NAMESPACE');
  if (
    identity.serviceAccount !== undefined &&
    serviceAccount !== '' &&
    identity.serviceAccount !== serviceAccount
  )
    throw foreign(identity, 'service account', identity.serviceAccount, serviceAccount, 'SERVICE_ACCOUNT');
  if (identity.node !== undefined && nodeName !== '' && identity.node !== nodeName)
    throw foreign(identity, 'node', identity.node, nodeName, 'NODE_NAME');
  const shown = (key: string): string => text(key).slice(0, maxShownLength);
  return { id, type, namespace, nodeName, clusterId: shown('CLUSTER_ID'), version: shown('ISTIO_VERSION') };
}

function invalid(message: string): DiscoveryRefusal {
  return new DiscoveryRefusal('XDS_NODE_INVALID', message);
}

function foreign(
  identity: ClientIdentity,
  what: string,
  proven: string,
  claimed: string,
  key: string,
): DiscoveryRefusal {
  return new DiscoveryRefusal(
    'XDS_NODE_FOREIGN',
    `${identity.principal} is of ${what} ${quote(proven)}, but claims ${quote(claimed)}; check node metadata ${key}`,
  );
}

/** Bounded, since it is the client's text. */
function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
