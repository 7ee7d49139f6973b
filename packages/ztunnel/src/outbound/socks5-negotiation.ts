import { canonicalIp, ipFromBytes } from '@ambient/mesh';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const NO_ACCEPTABLE_METHOD = 0xff;
const CONNECT = 1;
const addressTypes = { ipv4: 1, hostname: 3, ipv6: 4 } as const;
const PORT_BYTES = 2;

/** Values of the field REP (RFC 1928, section 6). */
export const socksReplies = {
  succeeded: 0,
  failed: 1,
  hostUnreachable: 4,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const;

/** Where a client wants to be connected to. */
export type SocksDestination =
  | { readonly kind: 'address'; readonly ip: string; readonly port: number }
  /** Lower case, without the last dot. */
  | { readonly kind: 'hostname'; readonly hostname: string; readonly port: number };

/** What is to be done next. */
export type SocksStep =
  /** `say` is to be sent, and `wanted` bytes are to be read, exactly. */
  | { readonly kind: 'read'; readonly say: Buffer }
  | { readonly kind: 'connect'; readonly to: SocksDestination }
  /** `say` is to be sent, and the connection closed. */
  | { readonly kind: 'refuse'; readonly say: Buffer; readonly why: string };

const nothing = Buffer.alloc(0);

/** The answer to a request. The address that was bound is not told: like Istio's ztunnel, success is said before there is one. */
export function socksReply(reply: (typeof socksReplies)[keyof typeof socksReplies]): Buffer {
  return Buffer.from([VERSION, reply, 0, addressTypes.ipv4, 0, 0, 0, 0, 0, 0]);
}

/**
 * The server's side of SOCKS5 (RFC 1928) up to the request, without I/O: CONNECT without authentication. What comes behind
 * the request is the application's, so exactly as many bytes are to be read as are asked for.
 */
export class SocksNegotiation {
  #phase: 'greeting' | 'methods' | 'request' | 'hostname-length' | 'address' = 'greeting';
  #addressType = 0;
  /** Bytes that the next call of `take` has to bring. */
  wanted = 2;

  /** @param bytes as many as are wanted */
  take(bytes: Buffer): SocksStep {
    switch (this.#phase) {
      case 'greeting':
        if (bytes[0] !== VERSION)
          return refuse(nothing, `version ${bytes[0]} of SOCKS instead of ${VERSION}`);
        if (bytes[1] === 0) return noMethod('no method of authentication');
        return this.#read('methods', bytes[1]!);
      case 'methods':
        if (!bytes.includes(NO_AUTHENTICATION)) return noMethod('authentication');
        return this.#read('request', 4, Buffer.from([VERSION, NO_AUTHENTICATION]));
      case 'request':
        return this.#request(bytes);
      case 'hostname-length':
        if (bytes[0] === 0) return refuse(socksReply(socksReplies.failed), 'an empty hostname');
        return this.#read('address', bytes[0]! + PORT_BYTES);
      case 'address':
        return this.#address(bytes);
    }
  }

  #read(
    phase: 'methods' | 'request' | 'hostname-length' | 'address',
    wanted: number,
    say = nothing,
  ): SocksStep {
    this.#phase = phase;
    this.wanted = wanted;
    return { kind: 'read', say };
  }

  #request(bytes: Buffer): SocksStep {
    const [version, command, , addressType = 0] = bytes;
    if (version !== VERSION) return refuse(nothing, `version ${version} of SOCKS instead of ${VERSION}`);
    if (command !== CONNECT)
      return refuse(socksReply(socksReplies.commandNotSupported), `command ${command}`);
    this.#addressType = addressType;
    switch (addressType) {
      case addressTypes.ipv4:
        return this.#read('address', 4 + PORT_BYTES);
      case addressTypes.ipv6:
        return this.#read('address', 16 + PORT_BYTES);
      case addressTypes.hostname:
        return this.#read('hostname-length', 1);
      default:
        return refuse(socksReply(socksReplies.addressTypeNotSupported), `address type ${addressType}`);
    }
  }

  #address(bytes: Buffer): SocksStep {
    const end = bytes.length - PORT_BYTES;
    const port = bytes.readUInt16BE(end);
    const address = bytes.subarray(0, end);
    if (this.#addressType !== addressTypes.hostname)
      return { kind: 'connect', to: { kind: 'address', ip: ipFromBytes(address)!, port } };
    const text = address.toString('latin1');
    const ip = canonicalIp(text);
    if (ip !== undefined) return { kind: 'connect', to: { kind: 'address', ip, port } };
    const hostname = text.toLowerCase().replace(/\.$/, '');
    if (!/^[a-z0-9_-][a-z0-9._-]*$/.test(hostname))
      return refuse(
        socksReply(socksReplies.hostUnreachable),
        'a hostname with other characters than names have',
      );
    return { kind: 'connect', to: { kind: 'hostname', hostname, port } };
  }
}

function refuse(say: Buffer, what: string): SocksStep {
  return { kind: 'refuse', say, why: `an application asks for ${what}` };
}

function noMethod(what: string): SocksStep {
  return refuse(Buffer.from([VERSION, NO_ACCEPTABLE_METHOD]), what);
}
