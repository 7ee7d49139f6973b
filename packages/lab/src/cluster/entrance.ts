// The API of a lab from outside of its network namespaces: a port of the user's own loopback is joined to a Unix socket, whose
// path knows no network namespaces, and that to the API.
import { join } from 'node:path';

import { Passage } from '../network/namespace-sockets.ts';
import { labFiles } from './lab-files.ts';

/** The outer half: a port on 127.0.0.1, open before anybody is behind it. @param directory of the lab, where nobody else writes */
export function openEntrance(directory: string): Promise<Passage> {
  return Passage.into({ host: '127.0.0.1', port: 0 }, { path: join(directory, labFiles.apiSocket) });
}

/** The inner half. @param apiUrl where the API is served inside */
export function joinEntrance(directory: string, apiUrl: string): Promise<Passage> {
  const { port } = new URL(apiUrl);
  return Passage.into(
    { path: join(directory, labFiles.apiSocket) },
    { host: '127.0.0.1', port: Number(port) },
  );
}

/** URL of the API for who comes by the entrance. */
export function entranceUrl(entrance: Passage): string {
  return `https://127.0.0.1:${entrance.port}`;
}
