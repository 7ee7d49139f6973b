import { isJsonObject } from '../object.ts';
import { TokenError } from './token-error.ts';

/** Claims of a service-account token (RFC 7519; `kubernetes.io` as API servers write it). Times in seconds. */
export interface TokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  readonly exp: number;
  readonly nbf: number;
  readonly iat: number;
  readonly jti: string;
  readonly 'kubernetes.io': KubernetesClaims;
}

/** An object by name and uid. */
export interface ObjectRef {
  readonly name: string;
  readonly uid: string;
}

export interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: ObjectRef;
  readonly pod?: ObjectRef;
  readonly secret?: ObjectRef;
  readonly node?: ObjectRef;
}

/** A token taken apart; nothing of it is verified yet. */
export interface ParsedToken {
  readonly claims: TokenClaims;
  readonly keyId: string | undefined;
  readonly algorithm: string;
  /** What the signature is over. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** Longer ones are no tokens of ours: headers of HTTP end at 16 KiB by default. */
const maxTokenLength = 16_384;

/** @throws {TokenError} `token-malformed`: not a JWT of a service account */
export function parseToken(token: string): ParsedToken {
  const parts = token.length <= maxTokenLength ? token.split('.') : [];
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined)
    throw new TokenError('token-malformed', 'the token is not a JSON web token of three parts');
  const head = decode(header);
  const claims = decode(payload);
  if (!isTokenClaims(claims))
    throw new TokenError('token-malformed', 'the token is not one of a service account');
  return {
    claims: { ...claims, aud: typeof claims.aud === 'string' ? [claims.aud] : claims.aud },
    keyId: typeof head['kid'] === 'string' ? head['kid'] : undefined,
    algorithm: String(head['alg']),
    signed: `${header}.${payload}`,
    signature: Buffer.from(signature, 'base64url'),
  };
}

export function encodePart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch (cause) {
    throw new TokenError('token-malformed', 'a part of the token is not JSON', { cause });
  }
  if (!isJsonObject(value)) throw new TokenError('token-malformed', 'a part of the token is not an object');
  return value;
}

function isTokenClaims(value: Record<string, unknown>): value is Record<string, unknown> & TokenClaims {
  const { iss, sub, aud, exp, nbf, iat, jti } = value;
  const kubernetes = value['kubernetes.io'];
  return (
    typeof iss === 'string' &&
    typeof sub === 'string' &&
    (typeof aud === 'string' || (Array.isArray(aud) && aud.every((each) => typeof each === 'string'))) &&
    [exp, nbf, iat].every((time) => typeof time === 'number') &&
    typeof jti === 'string' &&
    isJsonObject(kubernetes) &&
    typeof kubernetes['namespace'] === 'string' &&
    isObjectRef(kubernetes['serviceaccount']) &&
    ['pod', 'secret', 'node'].every((kind) => kubernetes[kind] === undefined || isObjectRef(kubernetes[kind]))
  );
}

function isObjectRef(value: unknown): value is ObjectRef {
  return isJsonObject(value) && typeof value['name'] === 'string' && typeof value['uid'] === 'string';
}
