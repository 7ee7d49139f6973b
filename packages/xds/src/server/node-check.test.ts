import { expect } from 'chai';

import { checkNode } from './node-check.ts';
import type { ClientIdentity } from './node-check.ts';
import { DiscoveryRefusal } from './refusal.ts';

const id = 'ztunnel~10.0.0.1~z-1.istio-system~istio-system.svc.cluster.local';
const fields = (entries: Record<string, string>) => ({
  fields: Object.fromEntries(Object.entries(entries).map(([key, stringValue]) => [key, { stringValue }])),
});

function verdict(nodeId: string, metadata: Record<string, string>, proven: Partial<ClientIdentity>): string {
  try {
    checkNode({ id: nodeId, metadata: fields(metadata) }, { principal: 'p', ...proven });
    return 'ok';
  } catch (error) {
    return (error as DiscoveryRefusal).code;
  }
}

describe('checkNode', () => {
  const own = { namespace: 'istio-system', serviceAccount: 'ztunnel', node: 'node-1' };
  const rows: [string, string, Record<string, string>, Partial<ClientIdentity>, string][] = [
    [
      'all that agrees',
      id,
      { NAMESPACE: 'istio-system', SERVICE_ACCOUNT: 'ztunnel', NODE_NAME: 'node-1' },
      own,
      'ok',
    ],
    ['a namespace that only the domain tells', id, {}, own, 'ok'],
    ['nobody proven', id, { NAMESPACE: 'any' }, {}, 'ok'],
    ['IPv6', id.replace('10.0.0.1', 'fd00::1'), {}, {}, 'ok'],
    ['three parts', 'ztunnel~10.0.0.1~z-1', {}, {}, 'XDS_NODE_INVALID'],
    ['five parts', `${id}~x`, {}, {}, 'XDS_NODE_INVALID'],
    ['an id of 2000 characters', `${id}${'x'.repeat(2000)}`, {}, {}, 'XDS_NODE_INVALID'],
    ['no IP address', id.replace('10.0.0.1', '10.0.0'), {}, {}, 'XDS_NODE_INVALID'],
    ['a foreign namespace', id, { NAMESPACE: 'default' }, own, 'XDS_NODE_FOREIGN'],
    ['a foreign service account', id, { SERVICE_ACCOUNT: 'other' }, own, 'XDS_NODE_FOREIGN'],
    ['another node', id, { NODE_NAME: 'node-2' }, own, 'XDS_NODE_FOREIGN'],
  ];
  for (const [title, nodeId, metadata, proven, expected] of rows)
    it(`${expected === 'ok' ? 'takes' : 'refuses'} ${title}`, () => {
      expect(verdict(nodeId, metadata, proven)).equal(expected);
    });

  it('refuses a request without a node', () => {
    expect(() => checkNode(undefined, { principal: 'p' })).throws(DiscoveryRefusal, 'no node');
  });
});
