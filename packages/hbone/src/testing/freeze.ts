/** Makes one end deaf and dumb, as if its machine were gone: its socket stays, and nothing is read or answered. */
export function freeze(connection: object): void {
  const frozen = connection as { onTransportReadable: () => void; run: () => void };
  frozen.onTransportReadable = () => undefined;
  frozen.run = () => undefined;
}
