import { Logger, LogLevels, ManualClock, silentSink } from '@ambient/runtime';
import { envoy, typeUrl } from '@ambient/wire';

import { DeltaServer } from './delta-server.ts';
import type { DeltaServerLimits, StreamEvents } from './delta-server.ts';
import type { ClientIdentity } from './node-check.ts';
import type { DiscoveryRefusal } from './refusal.ts';
import { ResourceTable } from './resource-table.ts';
import type { ServedResource } from './resource-table.ts';
import type { DeltaServerMetrics, StreamTransport } from './session.ts';

const { DeltaDiscoveryRequest, DeltaDiscoveryResponse } = envoy.service.discovery.v3;
type Request = envoy.service.discovery.v3.IDeltaDiscoveryRequest;
type Response = envoy.service.discovery.v3.DeltaDiscoveryResponse;

/** Counts nothing. */
export const noMetrics: DeltaServerMetrics = {
  connections: () => {},
  pushed: () => {},
  pushLatency: () => {},
  rejected: () => {},
  refused: () => {},
};

export const node = {
  id: 'ztunnel~10.0.0.9~z-1.istio-system~istio-system.svc.cluster.local',
  metadata: { fields: { NODE_NAME: { stringValue: 'node-1' }, NAMESPACE: { stringValue: 'istio-system' } } },
};

/** A resource whose content is a text. */
export function resource(name: string, content = '', keys: Partial<ServedResource> = {}): ServedResource {
  return { name, bytes: Buffer.from(content), ...keys };
}

/** A server on a paused clock whose long work is done when the test says. */
export class Bench {
  readonly clock = new ManualClock();
  readonly policies = new ResourceTable(typeUrl.authorization, { clock: this.clock });
  readonly addresses = new ResourceTable(typeUrl.address, { clock: this.clock });
  readonly server: DeltaServer;
  readonly refused: string[] = [];
  readonly rejected: string[] = [];
  readonly latencies: number[] = [];
  #deferred: (() => void)[] = [];

  constructor(limits: Partial<DeltaServerLimits> = {}) {
    this.server = new DeltaServer({
      tables: [this.policies, this.addresses],
      log: new Logger(new LogLevels('debug'), silentSink, 'xds'),
      metrics: {
        ...noMetrics,
        refused: (code) => this.refused.push(code),
        rejected: (url) => this.rejected.push(url),
        pushLatency: (_url, seconds) => this.latencies.push(seconds),
      },
      clock: this.clock,
      limits: { orderGraceMs: 0, ...limits },
      defer: (step) => this.#deferred.push(step),
    });
    this.server.start();
  }

  /** Lets gathered changes go out, and long work finish. */
  settle(): void {
    this.clock.advance(100);
    for (let steps = this.#deferred; steps.length > 0; steps = this.#deferred) {
      this.#deferred = [];
      for (const step of steps) step();
    }
  }

  /** A client that is let in. */
  async connect(identity: ClientIdentity = { principal: 'test' }): Promise<ScriptedClient> {
    const client = new ScriptedClient(() => Promise.resolve(identity));
    client.events = this.server.accept(client);
    await client.reading;
    return client;
  }
}

/** A client of which the test says each request. It remembers what an obedient client would hold. */
export class ScriptedClient implements StreamTransport {
  readonly peer = '10.0.0.9:1';
  readonly responses: Response[] = [];
  /** By type: name to version. */
  readonly held = new Map<string, Map<string, string>>();
  /** Content of what is held, by type and name. */
  readonly contents = new Map<string, string>();
  readonly reading: Promise<void>;
  events: StreamEvents | undefined;
  /** undefined while open, null after a clean end. */
  closed: DiscoveryRefusal | null | undefined;
  /** What `write` answers. */
  writable = true;
  readonly #authenticate: () => Promise<ClientIdentity>;
  #startReading: () => void = () => {};

  constructor(authenticate: () => Promise<ClientIdentity>) {
    this.#authenticate = authenticate;
    this.reading = new Promise((resolve) => (this.#startReading = resolve));
  }

  authenticate(): Promise<ClientIdentity> {
    return this.#authenticate();
  }

  read(): void {
    this.#startReading();
  }

  write(bytes: Buffer, flushed: () => void): boolean {
    const response = DeltaDiscoveryResponse.decode(bytes);
    this.responses.push(response);
    let held = this.held.get(response.typeUrl);
    if (held === undefined) this.held.set(response.typeUrl, (held = new Map<string, string>()));
    for (const { name, version, resource: content } of response.resources) {
      held.set(name!, version!);
      this.contents.set(`${response.typeUrl} ${name!}`, Buffer.from(content!.value!).toString());
    }
    for (const name of response.removedResources) held.delete(name);
    flushed();
    return this.writable;
  }

  close(refusal: DiscoveryRefusal | undefined): void {
    this.closed = refusal ?? null;
    this.#startReading();
  }

  send(request: Request): void {
    this.events!.receive(DeltaDiscoveryRequest.encode(request).finish());
  }

  /** Accepts the last response, or rejects it. */
  answer(error?: string): void {
    const last = this.responses.at(-1)!;
    this.answerTo(last, error);
  }

  answerTo(response: Response, error?: string): void {
    this.send({
      typeUrl: response.typeUrl,
      responseNonce: response.nonce,
      ...(error === undefined ? {} : { errorDetail: { message: error } }),
    });
  }

  /** What came since the last call: type, names put, names removed. */
  news(): [string, string[], string[]][] {
    return this.responses
      .slice(this.#seen, (this.#seen = this.responses.length))
      .map(({ typeUrl: url, resources, removedResources }) => [
        url === typeUrl.address ? 'address' : url === typeUrl.authorization ? 'policy' : url,
        resources.map(({ name }) => name!).sort(),
        [...removedResources].sort(),
      ]);
  }
  #seen = 0;
}
