import { isIPv4 } from 'node:net';
import type { NetworkNamespace, SocketAddress } from '@ambient/linux';
import {
  EventLoopReactor,
  FAILED,
  IoBuffer,
  SocketDiagnostics,
  SystemError,
  TcpSocket,
  UdpSocket,
  WOULD_BLOCK,
} from '@ambient/linux';
import type { Clock } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import { proofAddress, PROOF_PORT } from '../../rules/host-rules.ts';
import type { Family } from '../../rules/iptables-text.ts';
import type { PodCapture } from '../../rules/pod-capture.ts';
import { PROXY_MARK, ztunnelPorts } from '../../rules/pod-rules.ts';
import { answersQuestion, encodeQuestion } from './dns-question.ts';
import type { Finding, ProofCheck, ProofOutcome } from './findings.ts';

/** Whom to call. */
export interface PodToProve {
  /** `namespace/name`, as whom ztunnel must answer. */
  readonly pod: string;
  readonly netns: NetworkNamespace;
  readonly addresses: readonly string[];
  readonly capture: PodCapture;
}

export interface PodCallsOptions {
  /** The node's network namespace; undefined: the agent is in it. */
  readonly node: NetworkNamespace | undefined;
  readonly clock: Clock;
  /** For all calls of a pod together. */
  readonly timeoutMs: number;
  readonly onFault: (error: unknown) => void;
}

interface Call {
  readonly check: ProofCheck;
  readonly family: Family;
  readonly socket: TcpSocket | UdpSocket;
  readonly settle: (outcome: ProofOutcome, detail?: string) => void;
}

const DNS_PORT = 53;
/** A call that is not captured ends at the next router. */
const HOP_LIMIT = 1;
const NO_ROUTE: readonly string[] = [
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EACCES',
];
const buffer = new IoBuffer(1500);

/**
 * Calls that must end in ztunnel: from inside a pod to an address that nobody has, and from the node to a port of the pod where
 * nobody listens. Some twenty system calls a pod.
 */
export class PodCalls {
  readonly #options: PodCallsOptions;
  readonly #reactor: EventLoopReactor;
  readonly #underWay = new Set<Call>();

  constructor(options: PodCallsOptions) {
    this.#options = options;
    this.#reactor = new EventLoopReactor(options.onFault);
  }

  /**
   * Makes all calls of a pod at a time.
   * @param only calls of this family, if the pod has it; default: of both
   * @throws SystemError when its namespace cannot be entered
   */
  async call(pod: PodToProve, only?: Family): Promise<readonly Finding[]> {
    const has = familiesOf(pod);
    const families = only !== undefined && has.includes(only) ? [only] : has;
    const findings: Promise<Finding>[] = [];
    const calls: Call[] = [];
    const place = (check: ProofCheck, family: Family, dial: () => TcpSocket | UdpSocket): void => {
      findings.push(
        new Promise((resolve) => {
          const end = (outcome: ProofOutcome, detail?: string): void =>
            resolve({ check, family, outcome, ...(detail === undefined ? {} : { detail }) });
          let socket: TcpSocket | UdpSocket;
          try {
            socket = dial();
          } catch (error) {
            return end(dialOutcome(error), describeError(error));
          }
          const settle = (outcome: ProofOutcome, detail?: string): void => {
            if (!this.#underWay.delete(call)) return;
            this.#reactor.unregister(socket.fd);
            // With a reset nobody has to remember the connection: not its kernel, nor connection tracking on the way.
            if (socket instanceof TcpSocket) socket.abort();
            else socket.close();
            end(outcome, detail);
          };
          const call: Call = { check, family, socket, settle };
          this.#underWay.add(call);
          calls.push(call);
        }),
      );
    };
    pod.netns.enter(() => {
      for (const family of families) {
        const ip = proofAddress[family];
        place('outbound', family, () => TcpSocket.dial({ ip, port: PROOF_PORT }, { hopLimit: HOP_LIMIT }));
        if (pod.capture.dns) place('dns', family, () => ask({ ip, port: DNS_PORT }));
      }
    });
    this.#placeInbound(pod, families, place);
    for (const call of calls) this.#listen(call, pod.pod);
    const { clock, timeoutMs } = this.#options;
    using _timer = clock.setTimer(timeoutMs, () => {
      for (const { settle } of calls) settle('lost');
    });
    const results = await Promise.all(findings);
    const unroutable = results.filter(({ check, outcome }) => check === 'outbound' && outcome === 'no-route');
    return results.flatMap((finding) => this.#refine(pod, finding, unroutable) ?? []);
  }

  /**
   * Whether a connection that the pod opens is taken by a socket of a proxy, without waiting for an answer: the proof that is
   * left with a proxy that does not give one.
   */
  taken(pod: Pick<PodToProve, 'netns' | 'addresses' | 'capture'>): readonly Finding[] {
    return familiesOf(pod).map((family) => ({
      check: 'outbound',
      family,
      outcome: proxyTakes(pod.netns, family),
    }));
  }

  /** Ends calls that are under way, as if nothing had come of them. */
  async close(): Promise<void> {
    for (const { settle } of this.#underWay) settle('lost');
    await this.#reactor.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #placeInbound(
    { addresses, capture }: PodToProve,
    families: readonly Family[],
    place: (check: ProofCheck, family: Family, dial: () => TcpSocket) => void,
  ): void {
    const options = { namespace: this.#options.node, hopLimit: HOP_LIMIT };
    for (const ip of addresses) {
      const family = isIPv4(ip) ? 'v4' : 'v6';
      if (!families.includes(family)) continue;
      if (capture.inbound) place('inbound', family, () => TcpSocket.dial({ ip, port: PROOF_PORT }, options));
      place('hbone', family, () => TcpSocket.dial({ ip, port: ztunnelPorts.hbone }, options));
    }
  }

  #listen(call: Call, pod: string): void {
    const { socket, settle } = call;
    this.#reactor.registerReadable(socket.fd, {
      onReadiness: () => {
        if (socket instanceof UdpSocket) return readDatagram(socket, call.family, settle);
        readLine(socket, call.check, pod, settle);
      },
      onFault: (error) => settle('lost', describeError(error)),
    });
  }

  #refine(pod: PodToProve, finding: Finding, unroutable: readonly Finding[]): Finding | undefined {
    const { check, family, outcome } = finding;
    // Without a way out there is none back either.
    if (check !== 'outbound' && unroutable.some((other) => other.family === family)) return undefined;
    if (check !== 'outbound' || (outcome !== 'lost' && outcome !== 'diverted')) return finding;
    return proxyTakes(pod.netns, family) === 'taken' ? { check, family, outcome: 'taken' } : finding;
  }
}

function familiesOf({ addresses, capture }: Pick<PodToProve, 'addresses' | 'capture'>): readonly Family[] {
  const v4 = addresses.some(isIPv4);
  const v6 = capture.ipv6 && addresses.some((ip) => !isIPv4(ip));
  return [...(v4 ? (['v4'] as const) : []), ...(v6 ? (['v6'] as const) : [])];
}

function ask(to: SocketAddress): UdpSocket {
  const socket = UdpSocket.connected(to, { hopLimit: HOP_LIMIT });
  const question = encodeQuestion(to.ip.includes(':'));
  buffer.bytes.set(question);
  if (socket.sendConnected(buffer, 0, question.length) === question.length) return socket;
  const error = socket.lastError;
  socket.close();
  throw error ?? new SystemError('send', 0);
}

/** ztunnel's line, or what came in its place. */
function readLine(socket: TcpSocket, check: ProofCheck, pod: string, settle: Call['settle']): void {
  const length = socket.recv(buffer, 0, buffer.length);
  if (length === WOULD_BLOCK) return;
  if (length === FAILED) return settle(failureOutcome(socket.lastError!), socket.lastError!.message);
  if (length === 0) return settle('diverted', 'the connection was closed without an answer');
  const line = buffer.bytes.toString('latin1', 0, Math.min(length, 400)).trimEnd();
  const expected = `ambient-capture-proof/1 ${check} `;
  if (!line.startsWith(expected)) settle('diverted', `${JSON.stringify(line.slice(0, 80))} came`);
  else if (line === `${expected}${pod}`) settle('answered');
  else settle('other-pod', `${JSON.stringify(line.slice(expected.length))} answered`);
}

function readDatagram(socket: UdpSocket, family: Family, settle: Call['settle']): void {
  const length = socket.recvConnected(buffer, 0, buffer.length);
  if (length === WOULD_BLOCK) return;
  if (length === FAILED) return settle(failureOutcome(socket.lastError!), socket.lastError!.message);
  if (answersQuestion(buffer.bytes.subarray(0, length), proofAddress[family])) settle('answered');
  else settle('diverted', 'another server has answered');
}

function dialOutcome(error: unknown): ProofOutcome {
  if (!(error instanceof SystemError)) return 'lost';
  return NO_ROUTE.includes(error.code) ? 'no-route' : failureOutcome(error);
}

function failureOutcome({ code }: SystemError): ProofOutcome {
  if (code === 'ECONNREFUSED') return 'refused';
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'diverted' : 'lost';
}

/** Opens a connection, and looks at once whose socket has taken it: on the way inside a pod the kernel does not wait. */
function proxyTakes(netns: NetworkNamespace, family: Family): ProofOutcome {
  return netns.enter(() => {
    using diagnostics = new SocketDiagnostics();
    let socket: TcpSocket;
    try {
      socket = TcpSocket.dial({ ip: proofAddress[family], port: PROOF_PORT }, { hopLimit: HOP_LIMIT });
    } catch (error) {
      return dialOutcome(error);
    }
    try {
      const port = socket.localAddress()?.port;
      const far = diagnostics
        .tcp()
        .find(({ local, remote }) => local.port === ztunnelPorts.outbound && remote.port === port);
      return far?.mark === PROXY_MARK ? 'taken' : 'lost';
    } finally {
      socket.abort();
    }
  });
}
