import type { TLSSocket } from 'node:tls';

import type { User } from '../operations/request.ts';

/** Whoever holds a bearer token; undefined for a token that is not good. */
export type TokenAuthenticator = (token: string) => User | undefined;

/**
 * Who sent a request: the subject of a client certificate that the lab's CA signed, or the holder of a token. There is
 * no impersonation, and no anonymous user.
 */
export function authenticate(
  socket: TLSSocket,
  authorization: string | undefined,
  tokens: TokenAuthenticator,
): User | undefined {
  if (authorization !== undefined) {
    const match = /^Bearer\s+(\S+)$/i.exec(authorization);
    const user = match === null ? undefined : tokens(match[1]!);
    return user === undefined ? undefined : withGroup(user);
  }
  if (!socket.authorized) return undefined;
  let user = subjects.get(socket);
  if (user === undefined && (user = subjectOf(socket)) !== undefined) subjects.set(socket, user);
  return user;
}

/** A connection has one certificate for all of its requests, and reading it takes longer than many of them. */
const subjects = new WeakMap<TLSSocket, User>();

function subjectOf(socket: TLSSocket): User | undefined {
  const subject = socket.getPeerCertificate().subject as
    { CN?: string | string[]; O?: string | string[] } | undefined;
  const name = [subject?.CN ?? []].flat()[0];
  return name === undefined ? undefined : withGroup({ username: name, groups: [subject?.O ?? []].flat() });
}

function withGroup(user: User): User {
  const group = 'system:authenticated';
  return user.groups.includes(group) ? user : { ...user, groups: [...user.groups, group] };
}
