/** What a client of the control plane shows, and what it trusts: the token file and the root file. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';

import { CaError } from './ca-error.ts';
import { splitPem } from './pem.ts';

/** Where the token comes from that names this proxy to the CA. */
export type TokenSource =
  /** Read again for each call, since the kubelet replaces it. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'literal'; readonly token: string }
  | { readonly kind: 'none' };

/**
 * The token to send now, without surrounding white space; undefined if none is to be sent.
 *
 * @throws CaError `ca-token-unreadable`
 */
export async function readToken(source: TokenSource): Promise<string | undefined> {
  switch (source.kind) {
    case 'none':
      return undefined;
    case 'literal':
      return source.token;
    case 'file': {
      const token = await readFile(source.path, 'utf8').then(
        (text) => text.trim(),
        (cause: unknown) => {
          throw new CaError(
            'ca-token-unreadable',
            `The token ${source.path} cannot be read. Check the projected service-account volume (audience istio-ca).`,
            { cause },
          );
        },
      );
      if (!/^[\x21-\x7e]+$/.test(token))
        throw new CaError(
          'ca-token-unreadable',
          `The token ${source.path} is ${token === '' ? 'empty' : 'not one line of text'}. Check the projected service-account volume (audience istio-ca).`,
        );
      return token;
    }
  }
}

/** Where the roots come from that the CA's own server certificate must hang from. */
export type RootSource =
  /** Watched; a change makes a new connection. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'pem'; readonly pem: string }
  /** The operating system's store. */
  | { readonly kind: 'system' };

/**
 * PEM of the trusted roots.
 *
 * @throws CaError `ca-root-unreadable`
 */
export async function readRoots(source: RootSource): Promise<string[]> {
  if (source.kind === 'system') return getCACertificates('system');
  const place = source.kind === 'file' ? `The root file ${source.path}` : 'The root given as text';
  const remedy =
    'Check CA_ROOT_CA and that the ConfigMap istio-ca-root-cert is mounted; the file is read again at the next try.';
  const unreadable = (what: string, cause?: unknown): CaError =>
    new CaError('ca-root-unreadable', `${place} ${what}. ${remedy}`, { cause });
  const text =
    source.kind === 'pem'
      ? source.pem
      : await readFile(source.path, 'utf8').catch((cause: unknown) => {
          throw unreadable('cannot be read', cause);
        });
  const roots = splitPem(text, 'CERTIFICATE');
  if (roots.length === 0) throw unreadable('holds no certificate in PEM');
  try {
    for (const root of roots) new X509Certificate(root);
  } catch (cause) {
    throw unreadable('holds a certificate that cannot be read', cause);
  }
  return roots;
}
