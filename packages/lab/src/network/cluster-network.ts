import { AddressPlan } from './address-plan.ts';
import type { AddressPlanOptions } from './address-plan.ts';
import { familyOf } from './addresses.ts';
import { runInNamespace } from './commands.ts';
import type { NetworkNamespace } from '@ambient/linux';
import { LabNetworkError } from './errors.ts';
import { NamespaceHolder } from './namespace-holder.ts';
import { Passage } from './namespace-sockets.ts';
import type { Destination } from './namespace-sockets.ts';

export interface ClusterNetworkOptions extends AddressPlanOptions {
  /** Of every link, 1280 to 9000 bytes; 1500 if absent. */
  readonly mtu?: number;
}

/** A node as the network knows it. */
export interface ClusterNode {
  readonly name: string;
  /** From 1. */
  readonly index: number;
  readonly namespace: NetworkNamespace;
  /** A file that names the namespace. */
  readonly path: string;
  /** A process that does nothing but live in the namespace. */
  readonly pid: number;
  /** IPv4 first, without prefix length. */
  readonly addresses: readonly string[];
  /** `spec.podCIDRs`, IPv4 first. */
  readonly podCidrs: readonly string[];
}

const smallestMtu = 1280;
const largestMtu = 9000;
const uplink = 'eth0';

/**
 * The network of one cluster: a namespace for each node, joined by a bridge in a namespace of its own. Pods are routed, not
 * bridged: a node's part of the pod addresses is a route of all other nodes, so that what pods send passes the rules of
 * their node, also to pods of the same node. There is no network beyond it. Nothing of it outlives this process.
 */
export class ClusterNetwork implements AsyncDisposable {
  readonly plan: AddressPlan;
  readonly mtu: number;
  readonly #bridge: NamespaceHolder;
  readonly #holders: NamespaceHolder[] = [];
  readonly #nodes: ClusterNode[] = [];
  readonly #passages = new Set<Passage>();
  #adding: Promise<unknown> = Promise.resolve();

  private constructor(plan: AddressPlan, mtu: number, bridge: NamespaceHolder) {
    this.plan = plan;
    this.mtu = mtu;
    this.#bridge = bridge;
  }

  /** @throws LabNetworkError */
  static async create(options: ClusterNetworkOptions = {}): Promise<ClusterNetwork> {
    const { mtu = 1500 } = options;
    if (!Number.isInteger(mtu) || mtu < smallestMtu || mtu > largestMtu)
      throw new LabNetworkError(
        'LAB_NETWORK_ADDRESS',
        `an MTU of ${mtu} bytes: choose one from ${smallestMtu} to ${largestMtu}`,
      );
    const plan = new AddressPlan(options);
    const bridge = await router();
    const network = new ClusterNetwork(plan, mtu, bridge);
    try {
      await network.#setUp(bridge, 'make the bridge', [
        `link add br0 mtu ${mtu} type bridge`,
        'link set br0 up',
        ...plan.bridgeAddresses.map((address) => `addr add ${address} dev br0${nodad(address)}`),
        // What is addressed to the world outside is told at once that there is none.
        ...plan.families.map((family) => `route add unreachable ${family === 'v4' ? '0.0.0.0/0' : '::/0'}`),
      ]);
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  get nodes(): readonly ClusterNode[] {
    return this.#nodes;
  }

  /** Where what {@link expose} opened is reached from nodes and pods, IPv4 first. */
  get addresses(): readonly string[] {
    return this.plan.bridgeAddresses.map(bare);
  }

  /**
   * Makes a node, joined to the others.
   *
   * @throws LabNetworkError
   */
  addNode(name: string): Promise<ClusterNode> {
    // One after the other: each gets a number, and routes to all that there are.
    const added = this.#adding.then(() => this.#addNode(name));
    this.#adding = added.catch(() => undefined);
    return added;
  }

  async #addNode(name: string): Promise<ClusterNode> {
    const index = this.#holders.length + 1;
    const holder = await router();
    this.#holders.push(holder);
    const addresses = this.plan.nodeAddresses(index);
    const node: ClusterNode = {
      name,
      index,
      namespace: holder.namespace,
      path: holder.path,
      pid: holder.pid,
      addresses: addresses.map(bare),
      podCidrs: this.plan.podPrefixesOf(index),
    };
    await this.#setUp(this.#bridge, `join node ${name} to the bridge`, [
      `link add node${index} mtu ${this.mtu} type veth peer name ${uplink} mtu ${this.mtu} netns ${holder.pid}`,
      `link set node${index} master br0 up`,
      // The bridge is where the world outside begins: what it says of that has to come back to pods.
      ...routesTo(node),
    ]);
    const others = [...this.#nodes];
    await this.#setUp(holder, `set up the network of node ${name}`, [
      ...addresses.map((address) => `addr add ${address} dev ${uplink}${nodad(address)}`),
      `link set ${uplink} up`,
      // Also what is sent to Services has to have a route, before it is known where it will go.
      ...this.addresses.map((address) => `route add default via ${address}`),
      ...others.flatMap((other) => routesTo(other)),
    ]);
    this.#nodes.push(node);
    await Promise.all(
      others.map((other) =>
        this.#setUp(this.#holders[other.index - 1]!, `route from ${other.name} to ${name}`, routesTo(node)),
      ),
    );
    return node;
  }

  /**
   * Opens a port on {@link addresses} whose connections lead out of the network, such as to the API server.
   *
   * @param port 0 takes one that is free
   */
  async expose(port: number, to: Destination): Promise<Passage> {
    return this.#own(await Passage.from(this.#bridge.namespace, port, to));
  }

  /** A way in for people: a port or a Unix socket of this process's own namespace that leads to an address inside. */
  async open(
    place: { readonly host: string; readonly port: number } | { readonly path: string },
    address: string,
    port: number,
  ): Promise<Passage> {
    return this.#own(await Passage.into(place, { namespace: this.#bridge.namespace, address, port }));
  }

  /** The plugin's configuration on a node, to be written to `/etc/cni/net.d` of it. @param dataDirectory of its addresses */
  conflist(node: ClusterNode, dataDirectory: string): object {
    return {
      cniVersion: '1.0.0',
      name: 'lab',
      plugins: [
        {
          type: 'lab-bridge',
          mtu: this.mtu,
          nodeAddresses: node.addresses,
          ipam: {
            type: 'host-local',
            ranges: node.podCidrs.map((subnet) => [{ subnet }]),
            dataDir: dataDirectory,
          },
        },
      ],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const passage of this.#passages) passage[Symbol.dispose]();
    await Promise.all([this.#bridge, ...this.#holders].map((holder) => holder[Symbol.asyncDispose]()));
  }

  #own(passage: Passage): Passage {
    this.#passages.add(passage);
    return passage;
  }

  async #setUp(holder: NamespaceHolder, step: string, lines: readonly string[]): Promise<void> {
    await runInNamespace(holder.namespace, step, ['ip', '-batch', '-'], `${lines.join('\n')}\n`);
  }
}

/**
 * Nodes are routers, whose packets may come by any way, and which leave it at one way. A namespace without IPv6 in its
 * kernel lacks some of these.
 */
const kernelSettings = [
  ['ipv4/ip_forward', '1'],
  ['ipv4/conf/all/rp_filter', '0'],
  ['ipv4/conf/default/rp_filter', '0'],
  ['ipv4/conf/all/send_redirects', '0'],
  ['ipv4/conf/default/send_redirects', '0'],
  ['ipv6/conf/all/forwarding', '1'],
  // That there is no way is told each time, not once a second.
  ['ipv4/icmp_ratelimit', '0'],
  ['ipv6/icmp/ratelimit', '0'],
  // Nobody else can have the address of a link; until it is sure of that, the kernel does not ask for neighbours.
  ['ipv6/conf/default/accept_dad', '0'],
]
  .map(([name, value]) => `[ ! -e /proc/sys/net/${name} ] || echo ${value} > /proc/sys/net/${name}`)
  .join(' && ');

/** A namespace with the settings that its links will start with. */
async function router(): Promise<NamespaceHolder> {
  const holder = await NamespaceHolder.create();
  try {
    await runInNamespace(holder.namespace, 'set up a router', ['sh', '-c', kernelSettings]);
    return holder;
  } catch (error) {
    await holder[Symbol.asyncDispose]();
    throw error;
  }
}

function routesTo(node: ClusterNode): string[] {
  return node.podCidrs.map(
    (prefix) =>
      `route add ${prefix} via ${node.addresses.find((address) => familyOf(address) === familyOf(prefix))!}`,
  );
}

function bare(address: string): string {
  return address.split('/')[0]!;
}

/** Usable at once: there is nobody who could have the same address. */
function nodad(address: string): string {
  return familyOf(address) === 'v6' ? ' nodad' : '';
}
