import { HboneError } from '@ambient/hbone';
import type { SocketAddress } from '@ambient/linux';
import { HboneListener } from '../inbound/hbone-listener.ts';
import { PlaintextListener } from '../inbound/plaintext-listener.ts';
import { OutboundListener } from '../outbound/outbound-listener.ts';
import { Socks5Listener } from '../outbound/socks5-listener.ts';
import type { ZtunnelSettings } from '../settings.ts';
import type { LocalWorkloads, WorkerContext } from './context.ts';
import type { BoundPorts } from './messages.ts';

/** The ports that redirection leads to. */
export function trafficPorts({ ports }: ZtunnelSettings): BoundPorts {
  return {
    outbound: ports.outbound,
    inbound: ports.inboundHbone,
    inboundPlaintext: ports.inboundPlaintext,
  };
}

/** The ports where one pod's traffic is taken, inside its network namespace. */
export class TrafficListeners {
  readonly #outbound: OutboundListener;
  readonly inbound: HboneListener;
  readonly #plaintext: PlaintextListener;
  /** undefined: SOCKS5 is not asked for. */
  readonly #socks: Socks5Listener | undefined;

  /** Binds all, or none. @throws SystemError with nothing left */
  constructor(context: WorkerContext, workload: LocalWorkloads) {
    const { ipv6Enabled } = context.settings;
    const ports = trafficPorts(context.settings);
    const at = (port: number): SocketAddress => ({ ip: ipv6Enabled ? '::' : '0.0.0.0', port });
    using unwind = new DisposableStack();
    this.#outbound = unwind.adopt(new OutboundListener(context, at(ports.outbound), workload), (each) => {
      each.close();
    });
    this.inbound = unwind.adopt(new HboneListener(context, at(ports.inbound), workload), (each) => {
      each.close(stopped());
    });
    this.#plaintext = unwind.adopt(
      new PlaintextListener(context, at(ports.inboundPlaintext), workload),
      (each) => {
        each.close();
      },
    );
    const { socks5, ports: all } = context.settings;
    if (socks5) this.#socks = new Socks5Listener(context, { ip: '127.0.0.1', port: all.socks5 }, workload);
    unwind.move();
  }

  /** How many sockets listen. */
  get sockets(): number {
    return this.#socks === undefined ? 3 : 4;
  }

  get ports(): BoundPorts {
    return {
      outbound: this.#outbound.port,
      inbound: this.inbound.port,
      inboundPlaintext: this.#plaintext.port,
    };
  }

  /** Starts to accept; until then connections wait in the kernel. */
  start(): void {
    this.#outbound.start();
    this.inbound.start();
    this.#plaintext.start();
    this.#socks?.start();
  }

  /** New connections go to the listeners of another process that has come after `own` ones of this process, if there are any. */
  passOn(own: number): void {
    for (const listener of [this.#outbound, this.inbound, this.#plaintext, this.#socks])
      listener?.passOn(own);
  }

  /** Takes what waits already, and no more. */
  drain(): void {
    this.#outbound.drain();
    this.#plaintext.drain();
    this.#socks?.drain();
    this.inbound.drain();
  }

  /** What applications open is not taken any more; HBONE goes on until `close`. */
  stopListening(): void {
    this.#outbound.close();
    this.#plaintext.close();
    this.#socks?.close();
  }

  /** Cuts everything. */
  close(): void {
    this.stopListening();
    this.inbound.close(stopped());
  }
}

function stopped(): HboneError {
  return new HboneError('shut-down', 'the proxy was told to stop');
}
