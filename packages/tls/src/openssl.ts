/**
 * The OpenSSL 3 calls in use, taken from the `node` executable itself, which exports the whole library.
 * Pointers are plain numbers: see IoBuffer in `@ambient/linux`.
 */
import koffi from 'koffi';

const library = koffi.load(null);

type Call = (...args: number[]) => number;
function declare(signature: string): Call {
  return library.func(signature);
}

export const TLS_method = declare('uint64_t TLS_method()');
export const SSL_CTX_new = declare('uint64_t SSL_CTX_new(uint64_t)');
export const SSL_CTX_free = declare('void SSL_CTX_free(uint64_t)');
export const SSL_CTX_ctrl = declare('int64_t SSL_CTX_ctrl(uint64_t, int, int64_t, uint64_t)');
export const SSL_CTX_set_options = declare('uint64_t SSL_CTX_set_options(uint64_t, uint64_t)');
export const SSL_CTX_set_ciphersuites = declare('int SSL_CTX_set_ciphersuites(uint64_t, uint64_t)');
export const SSL_CTX_set_cipher_list = declare('int SSL_CTX_set_cipher_list(uint64_t, uint64_t)');
export const SSL_CTX_set_verify = declare('void SSL_CTX_set_verify(uint64_t, int, uint64_t)');
export const SSL_CTX_set_num_tickets = declare('int SSL_CTX_set_num_tickets(uint64_t, uint64_t)');
export const SSL_CTX_use_certificate = declare('int SSL_CTX_use_certificate(uint64_t, uint64_t)');
export const SSL_CTX_use_PrivateKey = declare('int SSL_CTX_use_PrivateKey(uint64_t, uint64_t)');
export const SSL_CTX_check_private_key = declare('int SSL_CTX_check_private_key(uint64_t)');
export const SSL_CTX_get_cert_store = declare('uint64_t SSL_CTX_get_cert_store(uint64_t)');
export const SSL_CTX_get0_param = declare('uint64_t SSL_CTX_get0_param(uint64_t)');
export const SSL_CTX_set_alpn_protos = declare(
  'int SSL_CTX_set_alpn_protos(uint64_t, uint64_t, unsigned int)',
);
export const SSL_CTX_set_alpn_select_cb = declare(
  'void SSL_CTX_set_alpn_select_cb(uint64_t, uint64_t, uint64_t)',
);
export const SSL_select_next_proto = declare(
  'int SSL_select_next_proto(uint64_t, uint64_t, uint64_t, unsigned int, uint64_t, unsigned int)',
);
export const X509_STORE_add_cert = declare('int X509_STORE_add_cert(uint64_t, uint64_t)');
export const X509_VERIFY_PARAM_set_flags = declare('int X509_VERIFY_PARAM_set_flags(uint64_t, uint64_t)');

export const SSL_new = declare('uint64_t SSL_new(uint64_t)');
export const SSL_free = declare('void SSL_free(uint64_t)');
export const SSL_set_bio = declare('void SSL_set_bio(uint64_t, uint64_t, uint64_t)');
export const SSL_set_connect_state = declare('void SSL_set_connect_state(uint64_t)');
export const SSL_set_accept_state = declare('void SSL_set_accept_state(uint64_t)');
export const SSL_do_handshake = declare('int SSL_do_handshake(uint64_t)');
export const SSL_read = declare('int SSL_read(uint64_t, uint64_t, int)');
export const SSL_write = declare('int SSL_write(uint64_t, uint64_t, int)');
export const SSL_shutdown = declare('int SSL_shutdown(uint64_t)');
export const SSL_get_error = declare('int SSL_get_error(uint64_t, int)');
export const SSL_get_verify_result = declare('int64_t SSL_get_verify_result(uint64_t)');
export const SSL_get0_alpn_selected = declare('void SSL_get0_alpn_selected(uint64_t, uint64_t, uint64_t)');
export const SSL_get0_verified_chain = declare('uint64_t SSL_get0_verified_chain(uint64_t)');
export const SSL_get1_peer_certificate = declare('uint64_t SSL_get1_peer_certificate(uint64_t)');
export const SSL_version = declare('int SSL_version(uint64_t)');
export const SSL_get_current_cipher = declare('uint64_t SSL_get_current_cipher(uint64_t)');
export const SSL_CIPHER_get_name = library.func('const char *SSL_CIPHER_get_name(uint64_t)') as (
  cipher: number,
) => string;
export const SSL_get0_group_name = library.func('const char *SSL_get0_group_name(uint64_t)') as (
  ssl: number,
) => string | null;

export const BIO_new_mem_buf = declare('uint64_t BIO_new_mem_buf(uint64_t, int)');
export const BIO_new_bio_pair = declare('int BIO_new_bio_pair(uint64_t, uint64_t, uint64_t, uint64_t)');
export const BIO_up_ref = declare('int BIO_up_ref(uint64_t)');
export const BIO_free = declare('int BIO_free(uint64_t)');
export const BIO_nwrite = declare('int BIO_nwrite(uint64_t, uint64_t, int)');
export const BIO_nread = declare('int BIO_nread(uint64_t, uint64_t, int)');

export const SSL_CTX_set_keylog_callback = declare('void SSL_CTX_set_keylog_callback(uint64_t, uint64_t)');

export const EVP_CIPHER_fetch = declare('uint64_t EVP_CIPHER_fetch(uint64_t, uint64_t, uint64_t)');
export const EVP_CIPHER_CTX_new = declare('uint64_t EVP_CIPHER_CTX_new()');
export const EVP_CIPHER_CTX_free = declare('void EVP_CIPHER_CTX_free(uint64_t)');
export const EVP_CIPHER_CTX_ctrl = declare('int EVP_CIPHER_CTX_ctrl(uint64_t, int, int, uint64_t)');
export const EVP_CipherInit_ex = declare(
  'int EVP_CipherInit_ex(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, int)',
);
export const EVP_CipherUpdate = declare('int EVP_CipherUpdate(uint64_t, uint64_t, uint64_t, uint64_t, int)');
export const EVP_CipherFinal_ex = declare('int EVP_CipherFinal_ex(uint64_t, uint64_t, uint64_t)');

export const PEM_read_bio_X509 = declare(
  'uint64_t PEM_read_bio_X509(uint64_t, uint64_t, uint64_t, uint64_t)',
);
export const PEM_read_bio_PrivateKey = declare(
  'uint64_t PEM_read_bio_PrivateKey(uint64_t, uint64_t, uint64_t, uint64_t)',
);
export const X509_free = declare('void X509_free(uint64_t)');
export const EVP_PKEY_free = declare('void EVP_PKEY_free(uint64_t)');
export const i2d_X509 = declare('int i2d_X509(uint64_t, uint64_t)');
export const OPENSSL_sk_num = declare('int OPENSSL_sk_num(uint64_t)');
export const OPENSSL_sk_value = declare('uint64_t OPENSSL_sk_value(uint64_t, int)');

export const ERR_clear_error = declare('void ERR_clear_error()');
export const ERR_get_error = declare('uint64_t ERR_get_error()');
export const ERR_reason_error_string = library.func('const char *ERR_reason_error_string(uint64_t)') as (
  code: number | bigint,
) => string | null;
export const X509_verify_cert_error_string = library.func(
  'const char *X509_verify_cert_error_string(int64_t)',
) as (code: number) => string;

export type AlpnSelect = (
  ssl: number,
  out: number,
  outLength: number,
  offered: number,
  offeredLength: number,
  argument: number,
) => number;

const alpnSelectType = koffi.pointer(
  koffi.proto('int AlpnSelect(uint64_t, uint64_t, uint64_t, uint64_t, unsigned int, uint64_t)'),
);

/** Makes a C function of `select`, for ever. The caller keeps to one per thread. */
export function registerAlpnSelect(select: AlpnSelect): number {
  return Number(koffi.address(koffi.register(select, alpnSelectType)));
}

export type KeyLog = (ssl: number, line: number) => void;

const keyLogType = koffi.pointer(koffi.proto('void KeyLog(uint64_t, uint64_t)'));

/** Makes a C function of `log`, for ever. The caller keeps to one per thread. */
export function registerKeyLog(log: KeyLog): number {
  return Number(koffi.address(koffi.register(log, keyLogType)));
}

/** Of the C library: to read text at an address. */
export const strlen = declare('uint64_t strlen(uint64_t)');
export const memcpy = declare('uint64_t memcpy(uint64_t, uint64_t, uint64_t)');

export const EVP_CTRL_AEAD_GET_TAG = 0x10;
export const EVP_CTRL_AEAD_SET_TAG = 0x11;

export const SSL_ERROR_WANT_READ = 2;
export const SSL_ERROR_ZERO_RETURN = 6;

export const SSL_CTRL_MODE = 33;
export const SSL_CTRL_SET_SESS_CACHE_MODE = 44;
export const SSL_CTRL_CHAIN_CERT = 89;
export const SSL_CTRL_SET_GROUPS_LIST = 92;
export const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
export const SSL_CTRL_SET_MAX_PROTO_VERSION = 124;

export const SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER = 0x2;
export const SSL_MODE_AUTO_RETRY = 0x4;
export const SSL_MODE_RELEASE_BUFFERS = 0x10;
export const SSL_OP_IGNORE_UNEXPECTED_EOF = 2 ** 7;
export const SSL_OP_NO_TICKET = 2 ** 14;
export const SSL_OP_NO_COMPRESSION = 2 ** 17;
export const SSL_OP_CIPHER_SERVER_PREFERENCE = 2 ** 22;
export const SSL_OP_NO_RENEGOTIATION = 2 ** 30;
export const SSL_VERIFY_PEER = 1;
export const SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;
export const TLS1_2_VERSION = 0x303;
export const TLS1_3_VERSION = 0x304;
/** A certificate given as root is trusted even when it is not self-signed. */
export const X509_V_FLAG_PARTIAL_CHAIN = 0x80000;
export const SSL_TLSEXT_ERR_OK = 0;
export const SSL_TLSEXT_ERR_ALERT_FATAL = 2;
export const OPENSSL_NPN_NEGOTIATED = 1;
