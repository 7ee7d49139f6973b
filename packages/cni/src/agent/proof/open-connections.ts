import type { DiagnosedSocket, NetworkNamespace } from '@ambient/linux';
import { formatAddress, SocketDiagnostics } from '@ambient/linux';
import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { CapturedPod } from '../pods/captured-pod.ts';
import type { PlaintextConnection } from './plaintext.ts';
import { plaintextConnections } from './plaintext.ts';

export interface OpenConnectionsOptions {
  readonly pods: ReadonlyMap<string, CapturedPod>;
  /** Whether such connections are cut, so that applications open them anew, through ztunnel. */
  readonly cut: boolean;
  /** Connections in all pods of the node. */
  readonly onCount: (count: number) => void;
  readonly onCut: (count: number) => void;
  /** A pod has such connections, which go on. */
  readonly onFound: (uid: string, note: string) => void;
  /** Between two looks at pods that had some, milliseconds. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** How sockets of a namespace are seen and ended. */
  readonly diagnose?: (netns: NetworkNamespace) => PodSockets;
}

/** Sockets in a pod's namespace. */
export interface PodSockets extends Disposable {
  tcp(): readonly DiagnosedSocket[];
  destroy(socket: DiagnosedSocket): boolean;
}

/** In a line of the log, or an Event. */
const NAMED = 5;

/** Finds connections of captured pods that go past ztunnel because they are older than the capture. */
export class OpenConnections {
  readonly #options: OpenConnectionsOptions;
  /** Of pods that have some: how many. */
  readonly #counts = new Map<string, number>();
  #timer: Disposable | undefined;

  constructor(options: OpenConnectionsOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /**
   * Looks at a pod.
   * @param why ends the sentence "connections ... "
   */
  look(uid: string, why = 'that were open before the pod was captured'): void {
    const { cut, onCut, onFound, log } = this.#options;
    const record = this.#options.pods.get(uid);
    const found = this.#find(uid);
    if (record === undefined || found.length === 0) return this.#note(uid, 0);
    const pod = `${record.namespace}/${record.name}`;
    const named = found.slice(0, NAMED).map(textOf).join(', ') + (found.length > NAMED ? ', …' : '');
    const gone = cut ? this.#cut(uid, found) : 0;
    if (gone > 0) {
      onCut(gone);
      log.info(`connections ${why} were cut`, { pod, count: gone, connections: named });
    }
    this.#note(uid, found.length - gone);
    if (gone === found.length) return;
    log.info(`connections ${why} go past ztunnel until they end`, {
      pod,
      count: found.length - gone,
      connections: named,
    });
    onFound(
      uid,
      `${found.length - gone} connections ${why} go on in plain text until they end: ${named}. Restart the client if that matters, or set CUT_PLAINTEXT_CONNECTIONS.`,
    );
  }

  #find(uid: string): readonly PlaintextConnection[] {
    const record = this.#options.pods.get(uid);
    if (record?.netns === undefined || record.capture === undefined) return [];
    try {
      using sockets = this.#diagnose(record.netns);
      return plaintextConnections(sockets.tcp(), record.capture, record.addresses);
    } catch (error) {
      this.#options.log.debug('the connections of a pod cannot be listed', {
        uid,
        error: describeError(error),
      });
      return [];
    }
  }

  #cut(uid: string, found: readonly PlaintextConnection[]): number {
    const { pods, log } = this.#options;
    try {
      using sockets = this.#diagnose(pods.get(uid)!.netns!);
      return found.filter(({ socket }) => sockets.destroy(socket)).length;
    } catch (error) {
      log.warn('connections past ztunnel cannot be cut', { uid, error: describeError(error) });
      return 0;
    }
  }

  #diagnose(netns: NetworkNamespace): PodSockets {
    const { diagnose = (of) => of.enter(() => new SocketDiagnostics()) } = this.#options;
    return diagnose(netns);
  }

  #note(uid: string, count: number): void {
    if (count === 0) this.#counts.delete(uid);
    else this.#counts.set(uid, count);
    this.#tell();
  }

  #tell(): void {
    const { onCount, clock, intervalMs } = this.#options;
    onCount([...this.#counts.values()].reduce((sum, count) => sum + count, 0));
    if (this.#counts.size === 0) return this.stop();
    this.#timer ??= clock.setTimer(intervalMs, () => {
      this.#timer = undefined;
      for (const uid of [...this.#counts.keys()]) {
        const left = this.#find(uid).length;
        if (left === 0) this.#counts.delete(uid);
        else this.#counts.set(uid, left);
      }
      this.#tell();
    });
  }
}

function textOf({ direction, local, remote }: PlaintextConnection): string {
  return direction === 'outbound'
    ? `to ${formatAddress(remote)}`
    : `from ${formatAddress(remote)} to port ${local.port}`;
}
