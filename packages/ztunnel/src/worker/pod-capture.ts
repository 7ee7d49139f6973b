import type { PoolDirectory } from '@ambient/hbone';
import { HbonePool } from '@ambient/hbone';
import type { NetworkNamespace, Reactor } from '@ambient/linux';
import { Timer } from '@ambient/linux';
import type { Logger } from '@ambient/runtime';
import type { ConnectionMetrics } from '../connections/connection-metrics.ts';
import { ProxyError } from '../connections/failure.ts';
import { LiveConnections } from '../connections/live-connections.ts';
import { DnsProxy } from '../dns/dns-proxy.ts';
import { findServerRevocation } from '../outbound/send-hbone.ts';
import { CaptureProof } from './capture-proof.ts';
import type { SharedContext, WorkerContext } from './context.ts';
import type { DescriptorBudget, PodBudget } from './descriptor-budget.ts';
import type { LocalFacts } from './local-workload.ts';
import { LocalWorkload } from './local-workload.ts';
import type { BoundPorts } from './messages.ts';
import { TrafficListeners, trafficPorts } from './traffic-listeners.ts';

/**
 * How long handshakes that are under way may take to end here, when another process gets the new ones: many round trips inside
 * a cluster.
 */
const PASS_ON_MS = 100;
/**
 * A socket of a client that has asked goes on being redirected after the rules are gone, since the kernel remembers its flow.
 * Resolvers ask twice from one socket (A and AAAA), and again after 5 s.
 */
const DNS_LINGER_MS = 5000;
/** How often a pod that drains looks whether it is empty. */
const DRAIN_POLL_MS = 20;

/** What a worker gives to each of its pods. */
export interface CaptureWorker {
  readonly reactor: Reactor;
  readonly shared: SharedContext;
  readonly metrics: ConnectionMetrics;
  readonly directory: PoolDirectory;
  /** Divided between the pods; undefined where there is one pod only. */
  readonly descriptors: DescriptorBudget | undefined;
  /** Of scope `access`. */
  readonly accessLog: Logger;
  onFault(error: unknown): void;
}

/** The pod whose traffic is to be carried. */
export interface CapturedPod {
  readonly facts: LocalFacts;
  /** `PodStart.id` of shared mode. */
  readonly id?: number;
  /** Where it lives; undefined: in the process's own network namespace (dedicated mode). Closed with the capture. */
  readonly namespace?: NetworkNamespace;
}

export interface DrainOptions {
  /** From now; what is left then is cut. */
  readonly deadlineMs: number;
  /**
   * `close`: another process takes what comes from now on. `keep`: there is nobody else, so that new connections are taken
   * until the end.
   */
  readonly listeners: 'close' | 'keep';
  /** Why what is left is cut. */
  readonly error: ProxyError;
}

/**
 * A pod in one worker: listeners inside its network namespace, and everything that its connections have for themselves: a
 * share of the worker's time, a pool of tunnels, the live table, and sockets that all stand in that namespace.
 */
export class PodCapture {
  readonly #context: WorkerContext;
  readonly #workload: LocalWorkload;
  readonly #namespace: NetworkNamespace | undefined;
  readonly #descriptors: PodBudget | undefined;
  /** Undefined where traffic is not carried and only DNS is served. */
  readonly #traffic: TrafficListeners | undefined;
  readonly #dns: DnsProxy | undefined;
  #draining:
    { readonly deadline: Timer; readonly poll: Timer; readonly done: ((cut: number) => void)[] } | undefined;
  #passedOn = false;
  readonly #passingOn = new Timer(() => {
    this.#traffic?.drain();
    this.#dns?.drain();
  });

  /** Binds all ports of the pod, or none. @throws SystemError with nothing left */
  constructor(worker: CaptureWorker, pod: CapturedPod) {
    const { shared } = worker;
    const { settings } = shared;
    using unwind = new DisposableStack();
    const reactor = unwind.adopt(worker.reactor.tenant(), (each) => {
      each.close();
    });
    this.#namespace = pod.namespace;
    const quota = worker.descriptors?.pod();
    this.#descriptors = quota;
    const dialOptions = { mark: settings.socket.packetMark, namespace: pod.namespace, quota };
    this.#context = {
      ...shared,
      reactor,
      pool: new HbonePool(reactor, shared.hbone, shared.keepAlive, dialOptions, worker.directory),
      connections: new LiveConnections(worker.metrics, worker.accessLog, Date.now, pod.id),
      captureProof: new CaptureProof(pod.facts.name),
      dialOptions,
    };
    this.#workload = new LocalWorkload(reactor, shared.store, pod.facts, {
      onFault: (error) => {
        worker.onFault(error);
      },
      onStandIn: ({ namespace, name, serviceAccount }) => {
        const text =
          'the control plane has not told this pod: what it sends goes under the identity that the node agent named, and nothing is taken for it yet; check that discovery works';
        shared.log.log('warn', text, { workload: `${namespace}/${name}`, service_account: serviceAccount });
      },
    });
    const context = this.#context;
    const workload = this.#workload;
    if (settings.proxyEnabled)
      this.#traffic = unwind.adopt(new TrafficListeners(context, workload), (each) => {
        each.close();
      });
    if (shared.dns !== undefined)
      this.#dns = unwind.adopt(
        new DnsProxy(shared.dns, { reactor, workloads: this.#workload, dialOptions }),
        (each) => {
          each.close();
        },
      );
    quota?.setAside((this.#traffic?.sockets ?? 0) + (this.#dns?.sockets ?? 0));
    unwind.move(); // all are bound: from here on `close` is what ends them
  }

  /** Those of the settings where nothing is bound. */
  get ports(): BoundPorts {
    return this.#traffic?.ports ?? trafficPorts(this.#context.settings);
  }

  get connections(): LiveConnections {
    return this.#context.connections;
  }

  /** Uid of its workload, where the control plane has told it. */
  get workloadUid(): string | undefined {
    return this.#workload.current?.uid;
  }

  /** Starts to accept; until then connections wait in the kernel. */
  start(): void {
    this.#traffic?.start();
    this.#dns?.start();
  }

  /** Workloads of this node have changed. */
  onMeshChange(): void {
    this.#workload.onMeshChange();
  }

  /** The revocation list has changed: cuts whoever is on it now. */
  recheckRevocations(): void {
    this.#traffic?.inbound.recheckRevocations();
    this.#context.pool.recheckPeers((chain) => findServerRevocation(this.#context, chain));
  }

  /**
   * Lets connections end by themselves: peers are told at once to open no more tunnels. When called again, whichever
   * deadline is earlier holds, and closed listeners stay closed.
   * @param done told once, with how many were cut
   */
  drain(options: DrainOptions, done: (cut: number) => void): void {
    const { reactor, pool } = this.#context;
    if (options.listeners === 'close') this.#passOn(options.deadlineMs);
    this.#traffic?.inbound.drainConnections();
    pool.drain();
    const deadlineAtMs = reactor.nowMs + options.deadlineMs;
    const already = this.#draining;
    if (already !== undefined) {
      already.done.push(done);
      if (already.deadline.deadlineMs > deadlineAtMs) reactor.setTimer(already.deadline, options.deadlineMs);
      return;
    }
    const finish = (cut: number): void => {
      this.#draining = undefined;
      reactor.cancelTimer(deadline);
      reactor.cancelTimer(poll);
      for (const each of all) each(cut);
    };
    const deadline = new Timer(() => {
      finish(this.connections.cutAll(options.error));
    });
    const finishIfEmpty = (): void => {
      const questions = options.listeners === 'close' ? (this.#dns?.waiting ?? 0) : 0;
      const held = this.connections.size + (this.#traffic?.inbound.connectionCount ?? 0) + questions;
      const lingers = options.listeners === 'keep' && this.#hasJustAsked();
      if (held === 0 && !this.#passingOn.armed && !lingers) finish(0);
      else reactor.setTimer(poll, DRAIN_POLL_MS);
    };
    const poll = new Timer(finishIfEmpty);
    const all = [done];
    this.#draining = { deadline, poll, done: all };
    reactor.setTimer(deadline, options.deadlineMs);
    finishIfEmpty();
  }

  /**
   * Whoever listens beside this process gets what comes from now on; what has come to us already is taken. To close at once
   * would reset handshakes that are under way, unless the pod's namespace has net.ipv4.tcp_migrate_req=1.
   */
  #passOn(deadlineMs: number): void {
    const { reactor, settings } = this.#context;
    if (this.#passedOn) return;
    this.#passedOn = true;
    this.#traffic?.passOn(settings.workerThreads);
    reactor.setTimer(this.#passingOn, Math.min(PASS_ON_MS, deadlineMs / 2));
  }

  #hasJustAsked(): boolean {
    const dns = this.#dns;
    return dns !== undefined && this.#context.reactor.nowMs - dns.lastQuestionMs < DNS_LINGER_MS;
  }

  /** Cuts everything and closes: nothing of the pod is left. Who waits for the end of a drain is told nothing. */
  close(error = new ProxyError('shut-down', 'the proxy was told to stop')): void {
    const { reactor, pool } = this.#context;
    reactor.cancelTimer(this.#passingOn);
    if (this.#draining !== undefined) {
      reactor.cancelTimer(this.#draining.deadline);
      reactor.cancelTimer(this.#draining.poll);
    }
    this.#traffic?.stopListening();
    this.#dns?.close();
    this.#workload.close();
    this.connections.cutAll(error);
    this.#traffic?.close();
    pool.close();
    this.#descriptors?.release();
    reactor.close();
    this.#namespace?.close();
  }
}
