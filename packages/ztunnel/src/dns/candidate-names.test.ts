import { expect } from 'chai';
import { candidateNames } from './candidate-names.ts';

const kubernetes = { clusterDomain: 'cluster.local', searchDomains: undefined };

describe('the names that a client of namespace shop may mean by', () => {
  const table: Record<string, string[]> = {
    web: ['web', 'web.shop.svc.cluster.local'],
    'web.bank': ['web.bank', 'web.bank.svc.cluster.local', 'web.bank.shop.svc.cluster.local'],
    'web.bank.svc': ['web.bank.svc', 'web.bank.svc.cluster.local', 'web.bank.svc.svc.cluster.local'],
    'a.web.bank': ['a.web.bank', 'a.web.bank.svc.cluster.local'],
    'a.web.bank.svc': ['a.web.bank.svc', 'a.web.bank.svc.cluster.local'],
    'a.b.web.bank': ['a.b.web.bank'],
    'a.b.web.bank.svc': ['a.b.web.bank.svc'],
    'web.shop.svc.cluster.local': [
      'web.shop.svc.cluster.local',
      'web < web',
      'web.shop < web.shop',
      'web.shop.shop.svc.cluster.local < web.shop',
      'web.shop.svc < web.shop.svc',
      'web.shop.svc.svc.cluster.local < web.shop.svc',
    ],
    'example.com.shop.svc.cluster.local': [
      'example.com.shop.svc.cluster.local',
      'example.com < example.com',
      'example.com.svc.cluster.local < example.com',
      'example.com.shop < example.com.shop',
      'example.com.shop.svc < example.com.shop.svc',
    ],
    'cluster.local': [
      'cluster.local',
      'cluster.local.svc.cluster.local',
      'cluster.local.shop.svc.cluster.local',
    ],
    'xcluster.local': [
      'xcluster.local',
      'xcluster.local.svc.cluster.local',
      'xcluster.local.shop.svc.cluster.local',
    ],
  };
  for (const [name, expected] of Object.entries(table))
    it(name, () => {
      const told = candidateNames(name, 'shop', kubernetes).map((candidate) =>
        candidate.stripped === undefined ? candidate.name : `${candidate.name} < ${candidate.stripped}`,
      );
      expect(told).deep.equal(expected);
    });

  it('a name in a search domain of resolv.conf, where that is what counts', () => {
    const rules = { clusterDomain: 'cluster.local', searchDomains: ['corp.example', 'svc.cluster.local'] };
    expect(candidateNames('web.corp.example', 'shop', rules)).deep.include({
      name: 'web.shop.svc.cluster.local',
      stripped: 'web',
    });
    expect(
      candidateNames('example.com.shop.svc.cluster.local', 'shop', rules).map(({ name }) => name),
    ).not.include('example.com');
  });
});
