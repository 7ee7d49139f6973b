/** The ports that Services of type NodePort and LoadBalancer have on every node: 30000 to 32767. */
export class NodePorts {
  readonly #taken = new Map<string, string>();
  #next = firstPort;

  /** Who has a port: `namespace/name`, or undefined. */
  ownerOf(port: number, protocol: string): string | undefined {
    return this.#taken.get(`${protocol}/${port}`);
  }

  take(port: number, protocol: string, owner: string): void {
    this.#taken.set(`${protocol}/${port}`, owner);
  }

  release(port: number, protocol: string, owner: string): void {
    if (this.ownerOf(port, protocol) === owner) this.#taken.delete(`${protocol}/${port}`);
  }

  /** A free port, now taken; undefined if there is none left. */
  allocate(protocol: string, owner: string): number | undefined {
    for (let tried = firstPort; tried <= lastPort; tried++) {
      const port = this.#next;
      this.#next = port === lastPort ? firstPort : port + 1;
      if (this.ownerOf(port, protocol) !== undefined) continue;
      this.take(port, protocol, owner);
      return port;
    }
    return undefined;
  }
}

const firstPort = 30_000;
const lastPort = 32_767;

export function isNodePort(port: number): boolean {
  return port >= firstPort && port <= lastPort;
}
