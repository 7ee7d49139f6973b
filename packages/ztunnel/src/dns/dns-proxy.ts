import type { DialOptions, Reactor, SocketAddress } from '@ambient/linux';
import { SystemError } from '@ambient/linux';
import type { Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { LocalWorkloads } from '../worker/context.ts';
import { askByNetwork } from './ask-server.ts';
import type { DnsMetrics } from './dns-metrics.ts';
import type { NameScope } from './plan-answer.ts';
import { Responder } from './responder.ts';
import { TcpService } from './tcp-service.ts';
import { UdpService } from './udp-service.ts';
import { UpstreamHealth } from './upstream-health.ts';

/** What the DNS proxies of a worker's pods have in common. */
export interface DnsWorker {
  readonly scope: NameScope;
  /** Where questions go that the mesh does not answer. */
  readonly servers: readonly SocketAddress[];
  readonly metrics: DnsMetrics;
  /** Of scope `dns`. */
  readonly log: Logger;
  /** IP address, or `localhost` for 127.0.0.1 and, where the namespace has it, ::1. */
  readonly host: string;
  readonly port: number;
}

/** What of a pod the proxy needs. */
export interface DnsPod {
  /** The pod's share of the worker's time. */
  readonly reactor: Reactor;
  readonly workloads: LocalWorkloads;
  /** Where the proxy's sockets stand and how they are marked. */
  readonly dialOptions: Pick<DialOptions, 'mark' | 'namespace' | 'quota'>;
}

/** Answers the DNS questions of one pod, which redirection brings to a port inside its network namespace. */
export class DnsProxy {
  readonly #responder: Responder;
  readonly #udp: UdpService[] = [];
  readonly #tcp: TcpService[] = [];

  /** Binds UDP and TCP, or nothing. @throws SystemError naming the address */
  constructor(worker: DnsWorker, pod: DnsPod) {
    const { reactor, workloads, dialOptions } = pod;
    const { scope, metrics, log } = worker;
    this.#responder = new Responder({
      reactor,
      scope,
      workloads,
      ask: askByNetwork(reactor, dialOptions),
      health: new UpstreamHealth(worker.servers),
      metrics,
      log,
    });
    const onFault = (error: unknown): void => {
      log.error('a defect ended a DNS question', { error: describeError(error) });
    };
    const events = {
      onFault,
      onAcceptPaused: (error: SystemError) => {
        log.error('dns: accepting pauses', { error: describeError(error) });
      },
      onAcceptResumed: () => {
        log.info('dns: accepting goes on');
      },
    };
    const bindUdp = (at: SocketAddress): UdpService | undefined => {
      try {
        return new UdpService(reactor, at, dialOptions, this.#responder, onFault);
      } catch (error) {
        // A pod without IPv6 on its loopback has no use for an answer there.
        if (worker.host === 'localhost' && at.ip === '::1' && isWithoutIpv6(error)) return undefined;
        throw error;
      }
    };
    try {
      for (const ip of worker.host === 'localhost' ? loopbacks(scope.ipv6Enabled) : [worker.host]) {
        const udp = bindUdp({ ip, port: worker.port });
        if (udp === undefined) continue;
        this.#udp.push(udp);
        this.#tcp.push(new TcpService(reactor, udp.address, dialOptions, this.#responder, events));
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Where it listens by UDP: tells the port when 0 was asked for. */
  get addresses(): readonly SocketAddress[] {
    return this.#udp.map(({ address }) => address);
  }

  /** How many sockets listen. */
  get sockets(): number {
    return this.#udp.length + this.#tcp.length;
  }

  /** Begins to take questions; until then they wait in the kernel. */
  start(): void {
    for (const service of [...this.#udp, ...this.#tcp]) service.start();
  }

  /** Questions whose answer is owed. */
  get waiting(): number {
    return this.#responder.waiting;
  }

  /** When the last question came, by the reactor's clock; -Infinity if none has. */
  get lastQuestionMs(): number {
    return this.#responder.lastQuestionMs;
  }

  /** Leaves new questions to another process that listens on the same addresses, and answers those that it has taken. */
  drain(): void {
    for (const service of [...this.#udp, ...this.#tcp]) service.drain();
  }

  /** Gives up every question, and frees the addresses. */
  close(): void {
    this.#responder.close();
    for (const service of [...this.#udp, ...this.#tcp]) service.close();
  }
}

function loopbacks(ipv6: boolean): readonly string[] {
  return ipv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}

function isWithoutIpv6(error: unknown): boolean {
  return error instanceof SystemError && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT');
}
