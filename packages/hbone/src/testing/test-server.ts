import type { SocketAddress } from '@ambient/linux';
import { Reactor, TcpListener } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import type { HboneError } from '../errors.ts';
import type { ServerConnectionOwner, TunnelOffer } from '../server-connection.ts';
import { ServerConnection } from '../server-connection.ts';
import type { HboneSettings } from '../settings.ts';
import { defaultHboneSettings } from '../settings.ts';
import type { TunnelSink } from '../tunnel.ts';
import { RecordingSink } from './recording-sink.ts';

function raise(error: unknown): never {
  throw error as Error;
}

/** A reactor whose defects fail the test. */
export function testReactor(): Reactor {
  return new Reactor(raise);
}

export interface TestServerOptions {
  readonly settings?: Partial<HboneSettings>;
  readonly verifyClient?: ServerConnectionOwner['verifyClient'];
  /** What becomes of a request; absent: accepted at once, by a RecordingSink in `sinks`. */
  readonly onConnect?: (offer: TunnelOffer) => TunnelSink | number;
}

/** An HBONE server on a loopback port. */
export class TestServer {
  readonly address: SocketAddress;
  readonly connections: ServerConnection[] = [];
  readonly offers: TunnelOffer[] = [];
  readonly sinks: RecordingSink[] = [];
  readonly gone: HboneError[] = [];
  readonly bad: HboneError[] = [];
  readonly #listener: TcpListener;
  readonly #context: TlsContext;

  /** @param context closed with the server */
  constructor(reactor: Reactor, context: TlsContext, options: TestServerOptions = {}) {
    this.#context = context;
    const owner: ServerConnectionOwner = {
      verifyClient: options.verifyClient ?? (() => undefined),
      onOpen: () => undefined,
      onConnect: (offer) => {
        this.offers.push(offer);
        return options.onConnect === undefined ? this.#record(offer) : options.onConnect(offer);
      },
      onBadRequest: (_, error) => this.bad.push(error),
      onGone: (_, error) => this.gone.push(error),
    };
    const settings = { ...defaultHboneSettings, ...options.settings };
    this.#listener = new TcpListener(
      reactor,
      { ip: '127.0.0.1', port: 0 },
      { backlog: 64, reusePort: false },
      {
        onAccept: (socket, peer) => {
          const addresses = { peer, local: this.address };
          this.connections.push(new ServerConnection(reactor, settings, socket, addresses, context, owner));
        },
        onAcceptPaused: raise,
        onAcceptResumed: () => undefined,
        onFault: raise,
      },
    );
    this.address = this.#listener.localAddress();
    this.#listener.start();
  }

  #record(offer: TunnelOffer): RecordingSink {
    const sink = new RecordingSink();
    sink.tunnel = offer.tunnel;
    this.sinks.push(sink);
    offer.accept([]);
    return sink;
  }

  /** Cuts what still stands. */
  close(error: HboneError): void {
    this.#listener.close();
    for (const connection of this.connections) connection.fail(error);
    this.#context.close();
  }
}
