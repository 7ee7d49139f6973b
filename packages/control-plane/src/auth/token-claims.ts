/** What a token says of itself, before anybody vouches for it: enough to refuse early and to bound a cache, never to trust. */
export interface TokenClaims {
  /** Unix milliseconds. */
  readonly expiresMs?: number | undefined;
  readonly audiences?: readonly string[] | undefined;
}

/** The claims of a JWT (RFC 7519 section 4.1); nothing for a token of another form. */
export function readTokenClaims(token: string): TokenClaims {
  const parts = token.split('.');
  if (parts.length !== 3) return {};
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString('utf8'));
  } catch {
    return {};
  }
  if (typeof claims !== 'object' || claims === null) return {};
  const { exp, aud } = claims as { exp?: unknown; aud?: unknown };
  const audiences = typeof aud === 'string' ? [aud] : aud;
  return {
    expiresMs: typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined,
    audiences: isTexts(audiences) ? audiences : undefined,
  };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
