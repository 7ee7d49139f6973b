import { IoBuffer } from '@ambient/linux';
import { configurationError } from './errors.ts';
import { keyLogCallback } from './key-log.ts';
import * as openssl from './openssl.ts';

export interface TlsContextOptions {
  readonly role: 'client' | 'server';
  /** Own certificate first, then its intermediates; each string may hold several PEM blocks. */
  readonly certificateChainPem: readonly string[];
  readonly privateKeyPem: string;
  /** Trust anchors; need not be self-signed. */
  readonly rootsPem: readonly string[];
  /** Offered by a client; one of them is required by a server of a client that offers any. */
  readonly alpn: readonly string[];
  /** Admit TLS 1.2 with ECDHE and AES-GCM beside TLS 1.3. */
  readonly allowTls12?: boolean;
  /** Only the hybrid post-quantum group X25519MLKEM768. */
  readonly postQuantumOnly?: boolean;
}

/** Bytes and a terminating NUL that OpenSSL may read for the length of one call. */
function cString(text: string): { memory: IoBuffer; pointer: number; length: number } {
  const length = Buffer.byteLength(text);
  const memory = new IoBuffer(length + 1);
  memory.bytes.write(text);
  memory.bytes[length] = 0;
  return { memory, pointer: memory.addressOf(0, length + 1), length };
}

const TLS13_SUITES = cString('TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384');
const TLS12_SUITES = cString(
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384',
);
const GROUPS = cString('X25519MLKEM768:X25519:P-256:P-384');
const POST_QUANTUM_GROUPS = cString('X25519MLKEM768');

function withPemBio<T>(pem: string, action: (bio: number) => T): T {
  const text = cString(pem);
  const bio = openssl.BIO_new_mem_buf(text.pointer, text.length);
  try {
    return action(bio);
  } finally {
    openssl.BIO_free(bio);
    text.memory.bytes.fill(0); // it may have been a private key
  }
}

/** Calls `use` with each X509 of a PEM text, which stays owned here. @returns their number */
function forEachCertificate(pem: string, use: (x509: number) => void): number {
  return withPemBio(pem, (bio) => {
    let count = 0;
    for (;;) {
      const x509 = openssl.PEM_read_bio_X509(bio, 0, 0, 0);
      if (x509 === 0) break;
      count++;
      try {
        use(x509);
      } finally {
        openssl.X509_free(x509);
      }
    }
    openssl.ERR_clear_error(); // the end of the text is reported as an error
    return count;
  });
}

/** Wire form of an ALPN list: each name behind its length (RFC 7301, section 3.1). */
function alpnWire(names: readonly string[]): IoBuffer {
  const wire = names.map((name) => String.fromCharCode(name.length) + name).join('');
  const memory = new IoBuffer(wire.length);
  memory.bytes.write(wire, 'latin1');
  return memory;
}

/** Lists of servers on this thread by their address, which is the callback's argument. Few, and kept for ever. */
const alpnLists = new Map<number, IoBuffer>();
const alpnAddresses = new Map<string, number>();
let alpnSelectPointer = 0;

function alpnListAddress(names: readonly string[]): number {
  const key = names.join(' ');
  let address = alpnAddresses.get(key);
  if (address === undefined) {
    const wire = alpnWire(names);
    address = wire.addressOf(0, wire.length);
    alpnLists.set(address, wire);
    alpnAddresses.set(key, address);
  }
  return address;
}

/** The server's choice among what a client offers, one C callback per thread. */
function alpnSelect(): number {
  alpnSelectPointer ||= openssl.registerAlpnSelect(
    (_ssl, out, outLength, offered, offeredLength, address) => {
      const length = alpnLists.get(address)?.length ?? 0;
      const choice = openssl.SSL_select_next_proto(out, outLength, address, length, offered, offeredLength);
      return choice === openssl.OPENSSL_NPN_NEGOTIATED
        ? openssl.SSL_TLSEXT_ERR_OK
        : openssl.SSL_TLSEXT_ERR_ALERT_FATAL;
    },
  );
  return alpnSelectPointer;
}

/**
 * Certificates and rules for sessions of one role. Mutual TLS always: the peer must present a certificate whose chain,
 * dates and extended key usage OpenSSL accepts. Names are the caller's business. No tickets and no resumption.
 */
export class TlsContext {
  #context: number;
  readonly role: 'client' | 'server';

  /** @throws TlsError bad-configuration naming the part that OpenSSL refused */
  constructor(options: TlsContextOptions) {
    this.role = options.role;
    openssl.ERR_clear_error();
    this.#context = openssl.SSL_CTX_new(openssl.TLS_method());
    try {
      this.#setProtocol(options);
      this.#setOwnCertificate(options.certificateChainPem.join('\n'), options.privateKeyPem);
      this.#setRoots(options.rootsPem);
      this.#setAlpn(options.alpn);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** For `TlsSession`. */
  get pointer(): number {
    return this.#context;
  }

  #ctrl(command: number, value: number, pointer = 0): number {
    return openssl.SSL_CTX_ctrl(this.#context, command, value, pointer);
  }

  #setProtocol(options: TlsContextOptions): void {
    const context = this.#context;
    this.#ctrl(
      openssl.SSL_CTRL_SET_MIN_PROTO_VERSION,
      options.allowTls12 === true ? openssl.TLS1_2_VERSION : openssl.TLS1_3_VERSION,
    );
    this.#ctrl(openssl.SSL_CTRL_SET_MAX_PROTO_VERSION, openssl.TLS1_3_VERSION);
    if (openssl.SSL_CTX_set_ciphersuites(context, TLS13_SUITES.pointer) !== 1)
      throw configurationError('cipher suites');
    if (openssl.SSL_CTX_set_cipher_list(context, TLS12_SUITES.pointer) !== 1)
      throw configurationError('TLS 1.2 cipher suites');
    const groups = options.postQuantumOnly === true ? POST_QUANTUM_GROUPS : GROUPS;
    if (this.#ctrl(openssl.SSL_CTRL_SET_GROUPS_LIST, 0, groups.pointer) !== 1)
      throw configurationError('groups');
    openssl.SSL_CTX_set_options(
      context,
      openssl.SSL_OP_NO_TICKET +
        openssl.SSL_OP_NO_COMPRESSION +
        openssl.SSL_OP_NO_RENEGOTIATION +
        openssl.SSL_OP_CIPHER_SERVER_PREFERENCE +
        openssl.SSL_OP_IGNORE_UNEXPECTED_EOF,
    );
    openssl.SSL_CTX_set_keylog_callback(context, keyLogCallback());
    openssl.SSL_CTX_set_num_tickets(context, 0);
    this.#ctrl(openssl.SSL_CTRL_SET_SESS_CACHE_MODE, 0);
    this.#ctrl(
      openssl.SSL_CTRL_MODE,
      openssl.SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
        openssl.SSL_MODE_AUTO_RETRY |
        openssl.SSL_MODE_RELEASE_BUFFERS,
    );
    openssl.SSL_CTX_set_verify(
      context,
      openssl.SSL_VERIFY_PEER | (options.role === 'server' ? openssl.SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
      0,
    );
  }

  #setOwnCertificate(chainPem: string, keyPem: string): void {
    let index = 0;
    const count = forEachCertificate(chainPem, (x509) => {
      const accepted =
        index++ === 0
          ? openssl.SSL_CTX_use_certificate(this.#context, x509)
          : this.#ctrl(openssl.SSL_CTRL_CHAIN_CERT, 1, x509); // 1: OpenSSL takes a reference of its own
      if (accepted !== 1) throw configurationError(`own certificate ${index}`);
    });
    if (count === 0) throw configurationError('own certificate: no PEM block found');
    const key = withPemBio(keyPem, (bio) => openssl.PEM_read_bio_PrivateKey(bio, 0, 0, 0));
    if (key === 0) throw configurationError('own private key');
    const taken = openssl.SSL_CTX_use_PrivateKey(this.#context, key);
    openssl.EVP_PKEY_free(key);
    if (taken !== 1 || openssl.SSL_CTX_check_private_key(this.#context) !== 1)
      throw configurationError('own private key does not belong to the certificate');
  }

  #setRoots(rootsPem: readonly string[]): void {
    const store = openssl.SSL_CTX_get_cert_store(this.#context);
    let count = 0;
    for (const pem of rootsPem)
      count += forEachCertificate(pem, (x509) => {
        if (openssl.X509_STORE_add_cert(store, x509) !== 1) throw configurationError('root certificate');
      });
    if (count === 0) throw configurationError('root certificates: no PEM block found');
    openssl.X509_VERIFY_PARAM_set_flags(
      openssl.SSL_CTX_get0_param(this.#context),
      openssl.X509_V_FLAG_PARTIAL_CHAIN,
    );
  }

  #setAlpn(names: readonly string[]): void {
    if (names.length === 0) return;
    if (this.role === 'client') {
      const wire = alpnWire(names);
      // Returns 0 on success, unlike its kin.
      if (openssl.SSL_CTX_set_alpn_protos(this.#context, wire.addressOf(0, wire.length), wire.length) !== 0)
        throw configurationError('ALPN');
      return;
    }
    openssl.SSL_CTX_set_alpn_select_cb(this.#context, alpnSelect(), alpnListAddress(names));
  }

  /** Sessions already made keep what they need. */
  close(): void {
    if (this.#context === 0) return;
    openssl.SSL_CTX_free(this.#context);
    this.#context = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
