import { TlsError } from './errors.ts';

const WARNING = 1;
const FATAL = 2;

/** Alerts that we send: RFC 8446, section 6. */
export const ALERT = {
  closeNotify: 0,
  unexpectedMessage: 10,
  badRecordMac: 20,
  recordOverflow: 22,
  decodeError: 50,
} as const;

const USER_CANCELED = 90;

const names: Readonly<Record<number, string>> = {
  10: 'unexpected_message',
  20: 'bad_record_mac',
  22: 'record_overflow',
  40: 'handshake_failure',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  109: 'missing_extension',
  110: 'unsupported_extension',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
};

/**
 * What an alert of the peer means for a session that is established.
 * @returns 0: nothing more comes; undefined: nothing; or why the session is over
 */
export function meaningOfAlert(description: number): 0 | TlsError | undefined {
  if (description === ALERT.closeNotify) return 0;
  if (description === USER_CANCELED) return undefined;
  // The level says nothing in TLS 1.3: all others end the session.
  return new TlsError('refused-by-peer', `alert ${names[description] ?? 'unknown'} (${description})`);
}

/** Bytes of an alert: its level and its description. */
export const ALERT_BYTES = 2;

/** The content of an alert record. */
export function alert(description: number): Buffer {
  return Buffer.of(description === ALERT.closeNotify ? WARNING : FATAL, description);
}
