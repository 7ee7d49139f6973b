import type { SocketAddress, TcpSocket } from '@ambient/linux';
import { IoBuffer } from '@ambient/linux';
import type { LocalWorkloadName } from '@ambient/mesh';

/**
 * Addresses that no node, pod or Service has, beside those of the node's probes. The node agent calls them from inside a pod,
 * and calls a pod as them from the node. The agent has the same (packages/cni/src/agent/proof).
 */
export const proofAddresses = {
  v4: '169.254.7.126',
  v6: 'fd16:9254:7127:1337:ffff:ffff:ffff:fffe',
} as const;
/** What the node agent asks a pod's DNS for; the answer is one of the addresses above. */
export const PROOF_NAME = 'capture-proof.ambient.invalid';

/** Where a call of the node agent has arrived. */
export type ProofListener = 'outbound' | 'inbound' | 'hbone';

/**
 * Answers the node agent, which makes sure that what a pod sends and gets really comes here. The proxy speaks first, and
 * ends: a call costs an accept, and appears in no log and no metric. Neither side needs to be of our make: a proxy without
 * this treats the call as any other, and an agent without it never calls.
 */
export class CaptureProof {
  readonly #pod: string;
  readonly #lines = new Map<ProofListener, IoBuffer>();

  /** @param name the pod whose listeners answer: an agent that meant another one learns that */
  constructor({ namespace, name }: LocalWorkloadName) {
    this.#pod = `${namespace}/${name}`;
  }

  /**
   * @param listener that has accepted `socket`
   * @param address where an outbound connection is going, where any other comes from
   * @returns whether it was a call of the agent, and is answered and closed
   */
  answer(listener: ProofListener, socket: TcpSocket, address: SocketAddress): boolean {
    if (address.ip !== proofAddresses.v4 && address.ip !== proofAddresses.v6) return false;
    let line = this.#lines.get(listener);
    if (line === undefined) {
      const text = Buffer.from(`ambient-capture-proof/1 ${listener} ${this.#pod}\n`);
      line = new IoBuffer(text.length);
      line.bytes.set(text);
      this.#lines.set(listener, line);
    }
    // A new connection always has room for a line; if it broke, nobody waits for it.
    socket.send(line, 0, line.length);
    socket.close();
    return true;
  }
}
