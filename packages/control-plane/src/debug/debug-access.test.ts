import { expect } from 'chai';

import { AuthError } from '../auth/auth-error.ts';
import type { Caller } from '../auth/caller.ts';
import type { Credentials } from '../auth/authenticate.ts';
import { DebugGuard } from './debug-access.ts';
import type { DebugCaller } from './debug-access.ts';
import { DebugRefusal } from './debug-refusal.ts';

const guard = new DebugGuard({ authenticator: { authenticate }, rootNamespace: () => 'istio-system' });

function authenticate({ authorization }: Credentials): Promise<Caller> {
  const [token] = authorization;
  const namespace = { 'Bearer root': 'istio-system', 'Bearer shop': 'shop' }[token ?? ''];
  if (namespace === undefined)
    return Promise.reject(
      token === 'Bearer unheard'
        ? new AuthError('token-review-unavailable', 'The API server could not be asked.')
        : new AuthError('no-credentials', 'The call carries no token.'),
    );
  const identity = { trustDomain: 'cluster.local', namespace, serviceAccount: 'a' };
  return Promise.resolve({ identity, proof: 'token', clusterId: '', pod: undefined, nodeName: undefined });
}

async function verdict(caller: Partial<DebugCaller>): Promise<string> {
  try {
    const access = await guard.admit({
      address: '10.0.0.5',
      host: '10.0.0.6:15014',
      authorization: [],
      clusterIds: [],
      ...caller,
    });
    return access.kind === 'own' ? access.principal : access.kind;
  } catch (error) {
    return String((error as DebugRefusal).status);
  }
}

describe('who may see debug pages', () => {
  for (const [title, caller, expected] of [
    ['this machine', { address: '127.0.0.1', host: 'localhost:15014' }, 'local'],
    ['this machine over IPv6', { address: '::1', host: '[::1]:15014' }, 'local'],
    ['this machine on a dual-stack socket', { address: '::ffff:127.0.0.1', host: '127.0.0.1' }, 'local'],
    ['HTTP/1.0 on this machine', { address: '127.0.0.1', host: undefined }, 'local'],
    [
      'a web page under a name that was made to stand for this machine',
      { address: '127.0.0.1', host: 'evil.example:15014' },
      '401',
    ],
    ['nobody from elsewhere', {}, '401'],
    ['somebody from elsewhere who says localhost', { host: 'localhost' }, '401'],
    ['an account of the root namespace', { authorization: ['Bearer root'] }, 'root'],
    ['any other account', { authorization: ['Bearer shop'] }, 'spiffe://cluster.local/ns/shop/sa/a'],
    ['a token that nobody accepts', { authorization: ['Bearer x'] }, '401'],
    ['a token that cannot be checked now', { authorization: ['Bearer unheard'] }, '503'],
  ] as const)
    it(`${title}: ${expected}`, async () => {
      expect(await verdict(caller)).equal(expected);
    });

  it('names the remedy', async () => {
    const refused = await guard
      .admit({ address: '10.0.0.5', host: undefined, authorization: [], clusterIds: [] })
      .catch((error: unknown) => error);
    expect(refused).instanceOf(DebugRefusal);
    expect((refused as DebugRefusal).message).contains('kubectl port-forward');
  });
});
