import { HboneError } from '@ambient/hbone';
import type { SocketAddress } from '@ambient/linux';
import { HboneListener } from '../inbound/hbone-listener.ts';
import { PlaintextListener } from '../inbound/plaintext-listener.ts';
import { OutboundListener } from '../outbound/outbound-listener.ts';
import type { ZtunnelSettings } from '../settings.ts';
import type { LocalWorkloads, WorkerContext } from './context.ts';
import type { BoundPorts } from './messages.ts';

/** How many sockets listen for a pod's traffic. */
export const TRAFFIC_LISTENERS = 3;

/** The ports that redirection leads to. */
export function trafficPorts({ ports }: ZtunnelSettings): BoundPorts {
  return {
    outbound: ports.outbound,
    inbound: ports.inboundHbone,
    inboundPlaintext: ports.inboundPlaintext,
  };
}

/** The three ports where one pod's traffic is taken, inside its network namespace. */
export class TrafficListeners {
  readonly #outbound: OutboundListener;
  readonly inbound: HboneListener;
  readonly #plaintext: PlaintextListener;

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
    this.#plaintext = new PlaintextListener(context, at(ports.inboundPlaintext), workload);
    unwind.move();
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
  }

  /** New connections go to the listeners of another process that has come after `own` ones of this process, if there are any. */
  passOn(own: number): void {
    for (const listener of [this.#outbound, this.inbound, this.#plaintext]) listener.passOn(own);
  }

  /** Takes what waits already, and no more. */
  drain(): void {
    this.#outbound.drain();
    this.#plaintext.drain();
    this.inbound.drain();
  }

  /** What applications open is not taken any more; HBONE goes on until `close`. */
  stopListening(): void {
    this.#outbound.close();
    this.#plaintext.close();
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
