import type { MeshUpdate } from '@ambient/mesh';
import { typeUrl } from '@ambient/wire';
import type { envoy } from '@ambient/wire';

import { addressResourceToMesh, authorizationResourceToMesh, updateKey } from '../convert/to-mesh.ts';
import { RejectedResourceError } from '../errors.ts';

export type DeltaRequest = envoy.service.discovery.v3.IDeltaDiscoveryRequest;
export type DeltaResponse = envoy.service.discovery.v3.IDeltaDiscoveryResponse;

/** Updates that are handed on together while a response is read. */
const updatesAtOnce = 100;

/** What a response means. */
export interface Reception {
  /** To be applied in this order, before the reply is sent; without those that were handed on in parts. */
  readonly updates: readonly MeshUpdate[];
  /** Resources of the response that were refused; what was in force of them before stays. */
  readonly rejected: readonly RejectedResourceError[];
  /** The ACK, or the NACK that names the rejected resources. */
  readonly reply: DeltaRequest;
  /** Demanded names that this response answers, by presence or by removal. To be told after the updates are applied. */
  readonly answered: readonly string[];
  /** True for exactly one response: the one that completed the first synchronization. */
  readonly becameReady: boolean;
}

/** What the client knows of one resource type, for dumps. */
export interface TypeStatus {
  readonly typeUrl: string;
  readonly onDemand: boolean;
  /** Resources held, by their names on the wire. */
  readonly resources: number;
  readonly acks: number;
  readonly nacks: number;
  readonly lastNonce: string;
  /** `system_version_info` of the last response. */
  readonly systemVersion: string;
  /** Text of the last NACK, '' once a later response was accepted whole. */
  readonly lastError: string;
}

interface TypeState {
  readonly typeUrl: string;
  readonly onDemand: boolean;
  readonly convert: (resource: envoy.service.discovery.v3.IResource) => MeshUpdate;
  readonly removal: 'remove-address' | 'remove-policy';
  /** Resource name to the last accepted version, '' if the server gave none. */
  readonly versions: Map<string, string>;
  /** Store keys of the resources whose name on the wire is another: their removal comes by that name. */
  readonly keys: Map<string, string>;
  synced: boolean;
  acks: number;
  nacks: number;
  lastNonce: string;
  systemVersion: string;
  lastError: string;
}

/**
 * The client's side of the incremental discovery protocol for addresses and authorizations, without any I/O: responses in,
 * mesh updates and the next request out.
 *
 * Both types are wildcard subscriptions (an empty subscribe list). With `onDemand` addresses are subscribed by name as they
 * are demanded: since the protocol cannot express "nothing yet", the first request subscribes to and unsubscribes from `*`.
 */
export class DeltaState {
  readonly #types: readonly TypeState[];
  readonly #node: envoy.config.core.v3.INode;
  /** Demanded names that no response has answered yet. */
  readonly #demanded = new Set<string>();
  #ready = false;

  constructor(options: { readonly node: envoy.config.core.v3.INode; readonly onDemand: boolean }) {
    this.#node = options.node;
    this.#types = [
      typeState(typeUrl.address, options.onDemand, addressResourceToMesh, 'remove-address'),
      typeState(typeUrl.authorization, false, authorizationResourceToMesh, 'remove-policy'),
    ];
  }

  /** True once every wildcard type has had a response that was accepted whole. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Types that readiness still waits for. */
  get pendingTypes(): readonly string[] {
    return this.#types.filter((type) => !type.onDemand && !type.synced).map((type) => type.typeUrl);
  }

  /** Whether an address resource is held under this name on the wire. */
  holdsAddress(name: string): boolean {
    return this.#types[0]!.versions.has(name);
  }

  /**
   * The requests that open a stream: one per type, with what is held from earlier streams so that the server sends only
   * differences and lists what vanished meanwhile; then one per unanswered demand.
   */
  open(): DeltaRequest[] {
    const requests: DeltaRequest[] = this.#types.map((type) => ({
      node: this.#node,
      typeUrl: type.typeUrl,
      initialResourceVersions: Object.fromEntries(type.versions),
      ...(type.onDemand ? { resourceNamesSubscribe: ['*'], resourceNamesUnsubscribe: ['*'] } : {}),
    }));
    for (const name of this.#demanded) requests.push(subscription(name));
    return requests;
  }

  /**
   * Notes that an address is wanted: a resource name, or `network/ip`.
   *
   * @returns the request to send on an open stream, or undefined if the name has been demanded before and is unanswered
   */
  demand(name: string): DeltaRequest | undefined {
    if (this.#demanded.has(name)) return undefined;
    this.#demanded.add(name);
    return subscription(name);
  }

  /**
   * Takes one response: removals apply after updates, a bad resource is refused by name and the rest applies.
   *
   * @param handOn given the updates of a long response in parts, before the reception tells the last of them: the updates
   *   of a whole mesh at once would take many times the memory of what comes of them
   */
  receive(response: DeltaResponse, handOn?: (updates: readonly MeshUpdate[]) => void): Reception {
    const url = response.typeUrl ?? '';
    const type = this.#types.find((candidate) => candidate.typeUrl === url);
    const reply = { typeUrl: url, responseNonce: response.nonce ?? '' };
    if (type === undefined) {
      const message = `resource type ${JSON.stringify(url)} was not subscribed to`;
      return {
        updates: [],
        rejected: [],
        reply: { ...reply, errorDetail: { message } },
        answered: [],
        becameReady: false,
      };
    }
    let updates: MeshUpdate[] = [];
    const rejected: RejectedResourceError[] = [];
    const answered = new Set<string>();
    for (const resource of response.resources ?? []) {
      try {
        const update = type.convert(resource);
        this.#hold(type, resource, update, updates);
        this.#answer(resource, update, answered);
      } catch (error) {
        if (!(error instanceof RejectedResourceError)) throw error;
        rejected.push(error);
        // A refused resource is still an answer: whoever waits goes on with what is in force.
        this.#answer(resource, undefined, answered);
      }
      if (handOn === undefined || updates.length < updatesAtOnce) continue;
      handOn(updates);
      updates = [];
    }
    for (const name of response.removedResources ?? []) {
      const key = type.keys.get(name) ?? name;
      type.versions.delete(name);
      type.keys.delete(name);
      if (!isHeld(type, key)) updates.push({ kind: type.removal, key });
      this.#answerName(name, answered);
    }
    type.lastNonce = reply.responseNonce;
    type.systemVersion = response.systemVersionInfo ?? '';
    type.lastError = rejected.map((error) => error.message).join('; ');
    let becameReady = false;
    if (rejected.length > 0) {
      type.nacks++;
    } else {
      type.acks++;
      type.synced = true;
      becameReady = !this.#ready && this.pendingTypes.length === 0;
      this.#ready ||= becameReady;
    }
    return {
      updates,
      rejected,
      reply: rejected.length > 0 ? { ...reply, errorDetail: { message: type.lastError } } : reply,
      answered: [...answered],
      becameReady,
    };
  }

  status(): TypeStatus[] {
    return this.#types.map((type) => ({
      typeUrl: type.typeUrl,
      onDemand: type.onDemand,
      resources: type.versions.size,
      acks: type.acks,
      nacks: type.nacks,
      lastNonce: type.lastNonce,
      systemVersion: type.systemVersion,
      lastError: type.lastError,
    }));
  }

  #hold(
    type: TypeState,
    resource: envoy.service.discovery.v3.IResource,
    update: MeshUpdate,
    updates: MeshUpdate[],
  ): void {
    const name = resource.name ?? '';
    const key = updateKey(update);
    const before = type.versions.has(name) ? (type.keys.get(name) ?? name) : key;
    // Where they are equal, the store holds this very text too: one instead of two for each resource.
    type.versions.set(key === name ? key : name, resource.version ?? '');
    if (key === name) type.keys.delete(name);
    else type.keys.set(name, key);
    // The resource now describes another workload or service than before: the old one is gone, unless it has got a new name.
    if (before !== key && !isHeld(type, before)) updates.push({ kind: type.removal, key: before });
    updates.push(update);
  }

  #answer(
    resource: envoy.service.discovery.v3.IResource,
    update: MeshUpdate | undefined,
    answered: Set<string>,
  ): void {
    if (this.#demanded.size === 0) return;
    this.#answerName(resource.name ?? '', answered);
    for (const alias of resource.aliases ?? []) this.#answerName(alias, answered);
    // Not every server lists aliases, so the addresses themselves answer too.
    if (update?.kind === 'workload')
      for (const ip of update.workload.addresses)
        this.#answerName(`${update.workload.network}/${ip}`, answered);
    if (update?.kind === 'service')
      for (const { network, ip } of update.service.addresses) this.#answerName(`${network}/${ip}`, answered);
  }

  #answerName(name: string, answered: Set<string>): void {
    if (this.#demanded.delete(name)) answered.add(name);
  }
}

/** Whether some resource, by whatever name, describes what the store holds under this key. */
function isHeld(type: TypeState, key: string): boolean {
  if (type.versions.has(key) && !type.keys.has(key)) return true;
  for (const other of type.keys.values()) if (other === key) return true;
  return false;
}

function typeState(
  url: string,
  onDemand: boolean,
  convert: TypeState['convert'],
  removal: TypeState['removal'],
): TypeState {
  return {
    typeUrl: url,
    onDemand,
    convert,
    removal,
    versions: new Map(),
    keys: new Map(),
    synced: false,
    acks: 0,
    nacks: 0,
    lastNonce: '',
    systemVersion: '',
    lastError: '',
  };
}

function subscription(name: string): DeltaRequest {
  return { typeUrl: typeUrl.address, resourceNamesSubscribe: [name] };
}
