import type { envoy } from '@ambient/wire';

import { DiscoveryRefusal } from './refusal.ts';
import type { ResourceTable } from './resource-table.ts';
import type { Outgoing, SharedResponses } from './shared-responses.ts';
import { Subscription } from './subscription.ts';
import { responseTail } from './wire-encoding.ts';

type DeltaRequest = envoy.service.discovery.v3.IDeltaDiscoveryRequest;

/** One type of one stream, for debug pages. */
export interface StreamTypeStatus {
  readonly typeUrl: string;
  readonly wildcard: boolean;
  /** Resources that the client holds, as far as it was sent them. */
  readonly resources: number;
  /** '' before the first response. */
  readonly sentNonce: string;
  /** Nonce of the last response that the client accepted. */
  readonly ackedNonce: string;
  readonly acks: number;
  readonly nacks: number;
  /** Text of the last NACK, '' once a later response was accepted. */
  readonly lastError: string;
}

/** What one stream has asked for and been sent of one type, for debug pages. */
export interface StreamHoldings {
  readonly typeUrl: string;
  /** Names and aliases asked for; none for a client of everything. */
  readonly asked: readonly string[];
  /** Names that the client was sent; undefined: everything that the table held when it was last brought up to date. */
  readonly sent: readonly string[] | undefined;
}

/** What a request was, for metrics and logs. */
export interface Received {
  readonly kind: 'first' | 'subscription' | 'ack' | 'nack' | 'stale' | 'unknown-type';
  readonly typeUrl: string;
  /** What the client has to say in a NACK. */
  readonly error: string;
}

export interface DeltaStreamOptions {
  /** In the order in which updates go out: what others refer to comes first. Removals go out in the opposite order. */
  readonly tables: readonly { readonly table: ResourceTable; readonly shared: SharedResponses }[];
  readonly nextNonce: () => string;
  /** Names that a client may ask for, all types together. */
  readonly maxNames: number;
  /** How long an answer waits for the client to subscribe to types that are sent earlier. */
  readonly orderGraceMs: number;
}

/** What the client was sent and has not answered. */
interface Outstanding {
  readonly nonce: string;
  readonly sentAtMs: number;
}

interface TypeState {
  readonly subscription: Subscription;
  outstanding: Outstanding | undefined;
  sentNonce: string;
  ackedNonce: string;
  acks: number;
  nacks: number;
  lastError: string;
}

const maxUnknownTypes = 16;
/** Characters of a name: twice what a namespace, a name and a hostname of greatest length make together. */
const maxNameLength = 1024;

/**
 * The server's side of incremental discovery with one client, without I/O: requests in, responses out when the caller asks for
 * the next one. Of each type one response at a time is on its way; what changes meanwhile is sent in its newest state once
 * the client has answered.
 *
 * Types are served in order, so that a client never holds a workload without a policy that it names: updates of a type wait
 * while an earlier type has some to send, and removals of an earlier type wait for the updates of the later ones.
 */
export class DeltaStream {
  readonly #options: DeltaStreamOptions;
  readonly #types: (TypeState | undefined)[];
  readonly #unknownTypes = new Set<string>();
  #unknownAnswers: string[] = [];
  #node: string | undefined;
  #openedAtMs: number | undefined;
  #due = false;

  constructor(options: DeltaStreamOptions) {
    this.#options = options;
    this.#types = options.tables.map(() => undefined);
  }

  /**
   * Takes one request; `next` then tells what to answer.
   *
   * @throws DiscoveryRefusal if the stream is to be closed for it
   */
  receive(request: DeltaRequest, nowMs: number): Received {
    const typeUrl = request.typeUrl ?? '';
    const nonce = request.responseNonce ?? '';
    const error = request.errorDetail?.message ?? '';
    this.#openedAtMs ??= nowMs;
    this.#node ??= request.node?.metadata?.fields?.['NODE_NAME']?.stringValue ?? undefined;
    const at = this.#options.tables.findIndex(({ table }) => table.typeUrl === typeUrl);
    if (at === -1) return this.#receiveUnknown(typeUrl, nonce);
    const change = {
      subscribe: request.resourceNamesSubscribe ?? [],
      unsubscribe: request.resourceNamesUnsubscribe ?? [],
    };
    const known = this.#types[at];
    if (known === undefined) {
      const held = new Map(Object.entries(request.initialResourceVersions ?? {}));
      this.#checkNames(change.subscribe.length + held.size, change.subscribe);
      this.#types[at] = this.#open(at, change, held);
      this.#due = true;
      return { kind: 'first', typeUrl, error };
    }
    if (change.subscribe.length + change.unsubscribe.length > 0) {
      this.#checkNames(change.subscribe.length, change.subscribe);
      known.subscription.change(change);
      this.#due = true;
    }
    if (nonce === '') return { kind: 'subscription', typeUrl, error };
    if (known.outstanding?.nonce !== nonce) return { kind: 'stale', typeUrl, error };
    known.outstanding = undefined;
    if (request.errorDetail) {
      known.nacks++;
      known.lastError = error;
      return { kind: 'nack', typeUrl, error };
    }
    known.acks++;
    known.ackedNonce = nonce;
    known.lastError = '';
    return { kind: 'ack', typeUrl, error };
  }

  /** Tables have changed: the stream is to be brought up to date. */
  publish(): void {
    this.#due = true;
  }

  /**
   * The next response to send, which then counts as sent; undefined if there is none now. To be asked after `receive`, after
   * `publish`, when shared responses are prepared, and at `graceEndsAtMs`.
   *
   * @throws DiscoveryRefusal if the stream is to be closed
   */
  next(nowMs: number): Outgoing | undefined {
    const unknown = this.#unknownAnswers.shift();
    if (unknown !== undefined) return this.#emptyAnswer(unknown);
    if (!this.#due) return undefined;
    for (const [at, type] of this.#types.entries()) {
      if (type === undefined) {
        if (this.#isWithinGrace(at, nowMs)) return undefined;
        continue;
      }
      const { subscription } = type;
      // A client by name may lack changes of which none concerns it: then nothing is sent, and nothing is lacking any more.
      const response =
        type.outstanding === undefined && subscription.lacksUpdates && subscription.takeUpdates();
      if (response) return sent(type, response, nowMs);
      if (subscription.lacksUpdates) return undefined;
    }
    for (const type of this.#types.toReversed()) {
      if (type === undefined || !type.subscription.lacksRemovals) continue;
      const response = type.outstanding === undefined && type.subscription.takeRemovals();
      if (response) return sent(type, response, nowMs);
      if (type.subscription.lacksRemovals) return undefined;
    }
    this.#due = false;
    return undefined;
  }

  /** When an answer goes out that waits for the client to subscribe to an earlier type; Unix time in milliseconds. */
  get graceEndsAtMs(): number | undefined {
    if (this.#openedAtMs === undefined || this.#types.every((type) => type !== undefined)) return undefined;
    return this.#openedAtMs + this.#options.orderGraceMs;
  }

  /** When the oldest response that the client has not answered was sent, Unix time in milliseconds. */
  get waitingSinceMs(): number | undefined {
    let oldest: number | undefined;
    for (const type of this.#types) {
      const at = type?.outstanding?.sentAtMs;
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    return oldest;
  }

  /** A response may be next that holds a whole table. */
  get wantsSnapshot(): boolean {
    return this.#types.some((type) => type?.outstanding === undefined && type?.subscription.wantsSnapshot);
  }

  /** Generation from which this table has to remember its changes for this client. */
  cursor(table: ResourceTable): number | undefined {
    return this.#types.find((type) => type?.subscription.table === table)?.subscription.cursor;
  }

  status(): StreamTypeStatus[] {
    return this.#types.flatMap((type) =>
      type === undefined
        ? []
        : {
            typeUrl: type.subscription.table.typeUrl,
            wildcard: type.subscription.wildcard,
            resources: type.subscription.held,
            sentNonce: type.sentNonce,
            ackedNonce: type.ackedNonce,
            acks: type.acks,
            nacks: type.nacks,
            lastError: type.lastError,
          },
    );
  }

  holdings(): StreamHoldings[] {
    return this.#types.flatMap((type) =>
      type === undefined
        ? []
        : {
            typeUrl: type.subscription.table.typeUrl,
            asked: [...type.subscription.names],
            sent: type.subscription.sentNames,
          },
    );
  }

  #open(
    at: number,
    first: { readonly subscribe: readonly string[]; readonly unsubscribe: readonly string[] },
    held: ReadonlyMap<string, string>,
  ): TypeState {
    const { table, shared } = this.#options.tables[at]!;
    const subscription = new Subscription(
      { table, shared, removesLast: at < this.#options.tables.length - 1, node: this.#node ?? '' },
      first,
      held,
    );
    return {
      subscription,
      outstanding: undefined,
      sentNonce: '',
      ackedNonce: '',
      acks: 0,
      nacks: 0,
      lastError: '',
    };
  }

  #receiveUnknown(typeUrl: string, nonce: string): Received {
    // The ACK of an empty answer asks for nothing.
    if (nonce === '') {
      this.#unknownTypes.add(typeUrl);
      if (this.#unknownTypes.size > maxUnknownTypes)
        throw new DiscoveryRefusal(
          'XDS_TOO_MANY_TYPES',
          `the client asked for more than ${maxUnknownTypes} resource types that are not served here`,
        );
      if (!this.#unknownAnswers.includes(typeUrl)) this.#unknownAnswers.push(typeUrl);
    }
    return { kind: nonce === '' ? 'unknown-type' : 'stale', typeUrl, error: '' };
  }

  #emptyAnswer(typeUrl: string): Outgoing {
    const nonce = this.#options.nextNonce();
    const bytes = Buffer.from(responseTail(typeUrl, nonce, []));
    return { typeUrl, nonce, bytes, resources: 0, removed: 0, sinceMs: undefined };
  }

  #isWithinGrace(at: number, nowMs: number): boolean {
    // Nobody waits for a type that comes after all those subscribed to.
    if (this.#types.slice(at + 1).every((later) => later === undefined)) return false;
    return nowMs < (this.#openedAtMs ?? 0) + this.#options.orderGraceMs;
  }

  #checkNames(more: number, subscribe: readonly string[]): void {
    const long = subscribe.find((name) => name.length > maxNameLength);
    if (long !== undefined)
      throw new DiscoveryRefusal(
        'XDS_TOO_MANY_NAMES',
        `the client asks for a name of ${long.length} characters; the longest that exist have fewer than ${maxNameLength}`,
      );
    let names = more;
    for (const type of this.#types) names += type?.subscription.nameCount ?? 0;
    if (names <= this.#options.maxNames) return;
    throw new DiscoveryRefusal(
      'XDS_TOO_MANY_NAMES',
      `the client asks for more than ${this.#options.maxNames} names; it should subscribe to everything instead`,
    );
  }
}

function sent(type: TypeState, response: Outgoing, nowMs: number): Outgoing {
  type.outstanding = { nonce: response.nonce, sentAtMs: nowMs };
  type.sentNonce = response.nonce;
  return response;
}
