import { expect } from 'chai';

import { ContainerError } from '../errors.ts';
import type { Container, NodePod } from '../../objects/pod.ts';
import type { EnvironmentSources } from './environment.ts';
import { containerEnvironment, expandReferences } from './environment.ts';
import { hostsFile, resolvConf } from './name-files.ts';
import { dividedQuantity, parseQuantity } from './quantity.ts';

const pod: NodePod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u', labels: { app: 'x', "o'dd": 'y' } },
  spec: { nodeName: 'node-1', containers: [] },
};
const sources: EnvironmentSources = {
  pod,
  podIps: ['10.0.0.1', 'fd00::1'],
  hostIps: ['172.30.0.11'],
  allocatable: { cpu: '2', memory: '1Gi' },
  configMap: (name) => (name === 'map' ? { one: '1', 'b=d': '2' } : undefined),
  secret: () => undefined,
};
const of = (container: Omit<Container, 'name'>): Record<string, string> =>
  Object.fromEntries(containerEnvironment({ name: 'c', ...container }, { BASE: 'b' }, sources));

describe('environment of a container', () => {
  it('expands references to what stands before, and leaves others', () => {
    const known = new Map([['A', 'a']]);
    expect(expandReferences('$(A) $$(A) $(B) $A $', known)).to.equal('a $(A) $(B) $A $');
    const env = [
      { name: 'X', value: '$(BASE)$(Y)' },
      { name: 'Y', value: '$(X)!' },
    ];
    expect(of({ env })).to.deep.equal({ BASE: 'b', X: 'b$(Y)', Y: 'b$(Y)!' });
  });

  it('takes fields, resources and keys', () => {
    const field = (fieldPath: string): { fieldRef: { fieldPath: string } } => ({ fieldRef: { fieldPath } });
    const env = [
      { name: 'IPS', valueFrom: field('status.podIPs') },
      { name: 'APP', valueFrom: field("metadata.labels['app']") },
      { name: 'ODD', valueFrom: field("metadata.labels['o'dd']") },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'MILLI', valueFrom: { resourceFieldRef: { resource: 'requests.cpu', divisor: '1m' } } },
      { name: 'NONE', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
    ];
    expect(of({ env, resources: { requests: { cpu: '100m' } } })).to.deep.equal({
      BASE: 'b',
      IPS: '10.0.0.1,fd00::1',
      APP: 'x',
      ODD: 'y',
      CPU: '2',
      MILLI: '100',
    });
  });

  it('names the reference that leads nowhere', () => {
    for (const [valueFrom, text] of [
      [{ configMapKeyRef: { name: 'map', key: 'two' } }, 'couldn\'t find key two in configmap "map"'],
      [{ secretKeyRef: { name: 's', key: 'k' } }, 'secret "s" not found'],
      [{ fieldRef: { fieldPath: 'spec.secret' } }, 'spec.secret'],
    ] as const)
      expect(() => of({ env: [{ name: 'X', valueFrom }] })).to.throw(ContainerError, text);
    expect(() => of({ envFrom: [{ configMapRef: { name: 'none' } }] })).to.throw(ContainerError, 'none');
  });

  it('leaves out names that no environment can hold', () => {
    expect(of({ envFrom: [{ prefix: 'P_', configMapRef: { name: 'map' } }] })).to.deep.equal({
      BASE: 'b',
      P_one: '1',
    });
  });
});

describe('quantities', () => {
  it('are read with their suffixes, and rounded up when divided', () => {
    expect(['100m', '1Gi', '1e3', '.5', '2k'].map(parseQuantity)).to.deep.equal([
      0.1,
      2 ** 30,
      1000,
      0.5,
      2000,
    ]);
    expect(['', 'x', '1X', '1 Gi', '--1'].map(parseQuantity)).to.deep.equal(Array(5).fill(undefined));
    expect(dividedQuantity('1500m', '0')).to.equal('2');
    expect(dividedQuantity('64Mi', '1Ki')).to.equal('65536');
  });
});

describe('names in a container', () => {
  const names = { dnsAddresses: ['10.96.0.10'], domain: 'cluster.local' };
  const conf = (spec: object): string =>
    resolvConf({ ...pod, spec: { ...pod.spec, ...spec } }, names, 'nameserver 9.9.9.9\n');

  it('are those of the cluster, of the machine, or of the pod alone', () => {
    const cluster = 'search n.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\n';
    expect(conf({})).to.equal(`${cluster}options ndots:5\n`);
    expect(conf({ hostNetwork: true })).to.equal('nameserver 9.9.9.9\n');
    expect(conf({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' })).to.contain('10.96.0.10');
    const dnsConfig = {
      nameservers: ['1.1.1.1'],
      searches: ['a.b'],
      options: [{ name: 'ndots', value: '2' }],
    };
    expect(conf({ dnsPolicy: 'None', dnsConfig })).to.equal(
      'search a.b\nnameserver 1.1.1.1\noptions ndots:2\n',
    );
  });

  it('know the pod by all of its addresses', () => {
    const hosts = hostsFile(
      { ...pod, spec: { ...pod.spec, subdomain: 'web' } },
      ['10.0.0.1', 'fd00::1'],
      'p',
      'n.svc.cluster.local',
    );
    expect(hosts).to.contain('10.0.0.1\tp.web.n.svc.cluster.local\tp\n').and.to.contain('fd00::1\tp.web');
  });
});
