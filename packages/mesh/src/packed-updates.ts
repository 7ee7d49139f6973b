import type { MeshUpdate, Workload } from './types.ts';

/**
 * A workload whose repeating fields are numbers of terms. The order of the numbers is that of `packWorkload`.
 */
export type PackedWorkload = readonly [
  uid: string,
  name: string,
  addresses: readonly string[],
  nativeTunnel: boolean,
  capacity: number,
  ...terms: readonly number[],
];

/** Updates on their way to a replica in another thread; survives a structured clone. */
export interface PackedUpdates {
  /** What was said before about terms holds no more. */
  readonly fresh: boolean;
  /** Terms that this and later messages name by number: they follow those of earlier messages. */
  readonly terms: readonly unknown[];
  readonly entries: readonly (MeshUpdate | PackedWorkload)[];
}

/** Above this many terms the numbering starts afresh, so that a churn of names cannot grow it for ever. */
const termLimit = 1 << 15;

/**
 * Packs updates for replicas that get all of them in order. Of a fleet's workloads nearly everything but uid, name and address
 * repeats: it travels once, and is a number from then on. So a replica neither parses nor copies it again for each workload,
 * and has one object for all of equal values.
 */
export class UpdatePacker {
  readonly #numbers = new Map<unknown, number>();
  #fresh = true;
  #terms: unknown[] = [];

  /** The next message stands on nothing that was said before: somebody new listens. */
  restart(): void {
    this.#numbers.clear();
    this.#fresh = true;
  }

  /** @param shared the same workload with its repeating values shared ({@link MeshStore}): what is equal is the same object */
  pack(updates: readonly MeshUpdate[], shared: (uid: string) => Workload | undefined): PackedUpdates {
    if (this.#numbers.size >= termLimit) this.restart();
    const entries = updates.map((update) => {
      if (update.kind !== 'workload') return update;
      const workload = shared(update.workload.uid);
      // Removed by a later update: what it was matters to nobody for long.
      return workload === undefined ? update : this.#packWorkload(workload);
    });
    const packed = { fresh: this.#fresh, terms: this.#terms, entries };
    this.#fresh = false;
    this.#terms = [];
    return packed;
  }

  #packWorkload(workload: Workload): PackedWorkload {
    return [
      workload.uid,
      workload.name,
      workload.addresses,
      workload.nativeTunnel,
      workload.capacity,
      this.#number(workload.namespace),
      this.#number(workload.hostname),
      this.#number(workload.network),
      this.#number(workload.tunnelProtocol),
      this.#number(workload.trustDomain),
      this.#number(workload.serviceAccount),
      this.#number(workload.waypoint),
      this.#number(workload.networkGateway),
      this.#number(workload.node),
      this.#number(workload.canonicalName),
      this.#number(workload.canonicalRevision),
      this.#number(workload.workloadType),
      this.#number(workload.workloadName),
      this.#number(workload.applicationTunnel),
      this.#number(workload.services),
      this.#number(workload.authorizationPolicies),
      this.#number(workload.status),
      this.#number(workload.clusterId),
      this.#number(workload.locality),
      this.#number(workload.networkMode),
    ];
  }

  #number(term: unknown): number {
    const known = this.#numbers.get(term);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(term, number);
    this.#terms.push(term);
    return number;
  }
}

/** The other end of one {@link UpdatePacker}. Its workloads have their repeating values shared. */
export class UpdateUnpacker {
  #terms: unknown[] = [];

  unpack({ fresh, terms, entries }: PackedUpdates): MeshUpdate[] {
    if (fresh) this.#terms = [];
    for (const term of terms) this.#terms.push(trimmed(term));
    return entries.map((entry) =>
      isPackedWorkload(entry) ? { kind: 'workload', workload: this.#unpackWorkload(entry) } : entry,
    );
  }

  #unpackWorkload(packed: PackedWorkload): Workload {
    const term = <T>(index: number): T => this.#terms[packed[index] as number] as T;
    return {
      uid: packed[0],
      name: packed[1],
      namespace: term(5),
      // An array out of a structured clone keeps room for elements that never come.
      addresses: packed[2].slice(),
      hostname: term(6),
      network: term(7),
      tunnelProtocol: term(8),
      trustDomain: term(9),
      serviceAccount: term(10),
      waypoint: term(11),
      networkGateway: term(12),
      node: term(13),
      canonicalName: term(14),
      canonicalRevision: term(15),
      workloadType: term(16),
      workloadName: term(17),
      nativeTunnel: packed[3],
      applicationTunnel: term(18),
      services: term(19),
      authorizationPolicies: term(20),
      status: term(21),
      clusterId: term(22),
      locality: term(23),
      networkMode: term(24),
      capacity: packed[4],
    };
  }
}

/** Terms are plain data; parsed again, they take no more room than they need. */
function trimmed(term: unknown): unknown {
  return typeof term === 'object' ? (JSON.parse(JSON.stringify(term)) as unknown) : term;
}

function isPackedWorkload(entry: MeshUpdate | PackedWorkload): entry is PackedWorkload {
  return Array.isArray(entry);
}
