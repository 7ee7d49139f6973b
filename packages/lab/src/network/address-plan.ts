import { addressIn, formatPrefix, parsePrefix, subnetOf } from './addresses.ts';
import type { Family, Prefix } from './addresses.ts';

export interface AddressPlanOptions {
  readonly ipv6?: boolean;
  /** Of the network that joins the nodes. */
  readonly nodes4?: string;
  readonly nodes6?: string;
  /** What is divided among the nodes for their pods. */
  readonly pods4?: string;
  readonly pods6?: string;
  /** Prefix lengths of one node's part. */
  readonly podsPerNode4?: number;
  readonly podsPerNode6?: number;
}

/** One family of the plan. */
interface FamilyPlan {
  readonly nodes: Prefix;
  readonly pods: Prefix;
  readonly nodeLength: number;
}

/** First node's host number, less one. */
const firstNode = 10n;

/** Who has which addresses: a pure function of the number of a node, from 1. */
export class AddressPlan {
  readonly #families: readonly FamilyPlan[];

  /** @throws LabNetworkError LAB_NETWORK_ADDRESS */
  constructor(options: AddressPlanOptions = {}) {
    const v4 = {
      nodes: parsePrefix(options.nodes4 ?? '172.30.0.0/24'),
      pods: parsePrefix(options.pods4 ?? '10.244.0.0/16'),
      nodeLength: options.podsPerNode4 ?? 24,
    };
    const v6 = {
      nodes: parsePrefix(options.nodes6 ?? 'fd30::/64'),
      pods: parsePrefix(options.pods6 ?? 'fd44::/48'),
      nodeLength: options.podsPerNode6 ?? 64,
    };
    this.#families = options.ipv6 === false ? [v4] : [v4, v6];
  }

  get families(): readonly Family[] {
    return this.#families.map(({ nodes }) => nodes.family);
  }

  /** Of all pods: what is from one of them is from inside the cluster. */
  get podPrefixes(): readonly string[] {
    return this.#families.map(({ pods }) => formatPrefix(pods));
  }

  /** Of the bridge, by which the nodes reach the API server, with prefix lengths. */
  get bridgeAddresses(): readonly string[] {
    return this.#families.map(({ nodes }) => `${addressIn(nodes, 1n)}/${nodes.length}`);
  }

  /** Of a node on the network that joins them, with prefix lengths: 172.30.0.11/24 is the first. */
  nodeAddresses(index: number): readonly string[] {
    return this.#families.map(
      ({ nodes }) => `${addressIn(nodes, hostOf(nodes, firstNode + BigInt(index)))}/${nodes.length}`,
    );
  }

  /** What a node's pods get their addresses from: 10.244.1.0/24 for the first. */
  podPrefixesOf(index: number): readonly string[] {
    return this.#families.map(({ pods, nodeLength }) =>
      formatPrefix(subnetOf(pods, nodeLength, BigInt(index))),
    );
  }
}

/** Written in decimal, the host part of an IPv6 address reads as that of the IPv4 one: fd30::11. */
function hostOf(prefix: Prefix, number: bigint): bigint {
  return prefix.family === 'v4' ? number : BigInt(`0x${number}`);
}
