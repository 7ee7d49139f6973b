// What `ip` is told to join a pod to its node, and what CNI is told of it. Pure.
import { createHash } from 'node:crypto';

import { familyOf } from '../addresses.ts';
import type { Family } from '../addresses.ts';

/** One address of a pod. */
export interface PodAddress {
  readonly address: string;
  readonly gateway: string;
}

/** The link between a pod and its node. */
export interface PodLink {
  readonly interfaceName: string;
  /** Of the node's end. */
  readonly nodeInterface: string;
  readonly mac: string;
  readonly nodeMac: string;
  readonly mtu: number;
  /** Path of the pod's namespace. */
  readonly netns: string;
  readonly nodeAddresses: readonly string[];
  readonly addresses: readonly PodAddress[];
}

/** Name of the node's end: the same for the same pod, so that whoever has the pod finds it. */
export function nodeInterfaceOf(containerId: string, interfaceName: string): string {
  return `veth${digest(containerId, interfaceName).toString('hex', 0, 5)}`;
}

/** Locally administered, and the same for the same pod: nobody has to ask the kernel for what it chose. */
export function macsOf(containerId: string, interfaceName: string): { mac: string; nodeMac: string } {
  const hash = digest(containerId, interfaceName);
  const from = (offset: number): string =>
    ['0a', '58', ...[0, 1, 2, 3].map((at) => hash.toString('hex', offset + at, offset + at + 1))].join(':');
  return { mac: from(8), nodeMac: from(12) };
}

function digest(containerId: string, interfaceName: string): Buffer {
  return createHash('sha256').update(`${containerId}/${interfaceName}`).digest();
}

/**
 * Input for `ip -batch` in the node's namespace. The pod is reached by a route of its own, over a link that only it is on;
 * the gateway's address stands on the node's end of each link. What the node's own processes send to the pod, its probes,
 * comes from the node's address.
 */
export function renderNodeSide(link: PodLink): string {
  const { nodeInterface, mtu } = link;
  return lines([
    `link add ${nodeInterface} mtu ${mtu} address ${link.nodeMac} type veth peer name ${link.interfaceName} mtu ${mtu} address ${link.mac} netns ${link.netns}`,
    ...link.addresses.map(
      ({ gateway }) => `addr add ${gateway}/${fullLength(gateway)} dev ${nodeInterface}${nodad(gateway)}`,
    ),
    `link set ${nodeInterface} up`,
    ...link.addresses.map(({ address }) => {
      const own = link.nodeAddresses.find((each) => familyOf(each) === familyOf(address));
      return `route add ${address}/${fullLength(address)} dev ${nodeInterface}${own === undefined ? '' : ` src ${own}`}`;
    }),
  ]);
}

/** Input for `ip -batch` in the pod's namespace. */
export function renderPodSide(link: PodLink): string {
  const { interfaceName } = link;
  return lines([
    'link set lo up',
    ...link.addresses.map(
      ({ address }) => `addr add ${address}/${fullLength(address)} dev ${interfaceName}${nodad(address)}`,
    ),
    `link set ${interfaceName} up`,
    ...link.addresses.flatMap(({ gateway }) => [
      `route add ${gateway}/${fullLength(gateway)} dev ${interfaceName}`,
      `route add default via ${gateway} dev ${interfaceName}`,
    ]),
  ]);
}

/** The result of ADD (CNI 1.1, "ADD Success"). */
export function resultOf(cniVersion: string, link: PodLink): object {
  return {
    cniVersion,
    interfaces: [
      { name: link.nodeInterface, mac: link.nodeMac },
      { name: link.interfaceName, mac: link.mac, sandbox: link.netns },
    ],
    ips: link.addresses.map(({ address, gateway }) => ({
      address: `${address}/${fullLength(address)}`,
      gateway,
      interface: 1,
    })),
    routes: link.addresses.map(({ gateway }) => ({
      dst: familyOf(gateway) === 'v4' ? '0.0.0.0/0' : '::/0',
      gw: gateway,
    })),
    dns: {},
  };
}

const lengths: Readonly<Record<Family, number>> = { v4: 32, v6: 128 };

function fullLength(address: string): number {
  return lengths[familyOf(address)];
}

function nodad(address: string): string {
  return familyOf(address) === 'v6' ? ' nodad' : '';
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
