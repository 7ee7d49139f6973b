import { existsSync, readFileSync } from 'node:fs';

/** Where the service account token comes from. */
export interface TokenOptions {
  /** Path of the token file, read for every call; or the token itself if no such file can exist. */
  readonly token: string;
  /** The cluster that the control plane validates the token against. */
  readonly clusterId: string;
}

/**
 * The `authorization` and `clusterid` headers of a call to the control plane. The file is probed now, once: if it is absent
 * there are no such headers until the process restarts, as in Istio's ztunnel.
 *
 * @returns a function that reads the token and gives the headers; it throws when a file that was there cannot be read
 */
export function tokenHeaders(options: TokenOptions): () => Record<string, string> {
  const { token, clusterId } = options;
  const isPath = token.includes('/') || token.startsWith('.');
  if (isPath && !existsSync(token)) return () => ({});
  return () => {
    // A trailing newline would make an illegal header value.
    const value = (isPath ? readFileSync(token, 'utf8') : token).trim();
    return { authorization: `Bearer ${value}`, clusterid: clusterId };
  };
}
