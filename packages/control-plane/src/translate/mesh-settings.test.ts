import { expect } from 'chai';
import type { ConfigMap } from '@ambient/kube';
import { readMeshSettings } from './mesh-settings.ts';
import { meshDefaults } from './mesh-settings.test-data.ts';
import { isDiscovered, isOfRevision } from './scope.ts';
import { mesh, namespaceNamed, podNamed, serviceEntry } from './translate.test-data.ts';

const configMap = (text: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'istio', namespace: 'istio-system', uid: 'c' },
  data: { mesh: text },
});

const read = (text: string) => readMeshSettings(meshDefaults, configMap(text), undefined);
const pathsOf = (text: string): string[] => read(text).problems.map(({ path }) => path);

describe('mesh settings', () => {
  it('have their defaults without a ConfigMap, and with an empty one', () => {
    const expected = {
      ...meshDefaults,
      trustDomain: 'cluster.local',
      trustDomainAliases: [],
      rootNamespace: 'istio-system',
      network: '',
      discoverySelectors: [],
      serviceEntryVisibility: undefined,
      serviceScopes: [
        { services: { matchLabels: { 'istio.io/global': 'true' } }, namespaces: undefined, global: true },
      ],
    };
    for (const text of ['', '\n', '# nothing', '{}', 'trustDomain: ""']) {
      expect(read(text), text).to.deep.equal({ settings: expected, problems: [], ignored: [] });
    }
    expect(readMeshSettings(meshDefaults, undefined, undefined).settings).to.deep.equal(expected);
  });

  it('follow MeshConfig, and name the fields that they do not follow', () => {
    const { settings, ignored, problems } = read(`
trustDomain: corp.example
trustDomainAliases: [old.example]
rootNamespace: mesh
accessLogFile: /dev/stdout
defaultConfig: {discoveryAddress: x}
discoverySelectors:
- matchLabels: {mesh: "on"}
- matchExpressions: [{key: env, operator: In, values: [a]}]
serviceEntryVisibility:
  defaultVisibility: NAMESPACE
  policies:
  - visibility: PUBLIC
    matchingRules: [{namespaceSelector: {matchLabels: {a: b}}}]
serviceScopeConfigs:
- {servicesSelector: {matchLabels: {spread: "no"}}, scope: LOCAL}
- {namespaceSelector: {matchLabels: {a: b}}, scope: GLOBAL}
- {servicesSelector: {}, namespaceSelector: {}}
`);
    expect(problems.map(({ path }) => path)).to.deep.equal(['serviceScopeConfigs[2].scope']);
    expect(ignored).to.deep.equal(['accessLogFile', 'defaultConfig']);
    expect(settings).to.deep.include({
      trustDomain: 'corp.example',
      trustDomainAliases: ['old.example'],
      rootNamespace: 'mesh',
      discoverySelectors: [
        { matchLabels: { mesh: 'on' }, matchExpressions: [] },
        { matchLabels: {}, matchExpressions: [{ key: 'env', operator: 'In', values: ['a'] }] },
      ],
      serviceEntryVisibility: {
        defaultVisibility: 'NAMESPACE',
        policies: [
          { visibility: 'PUBLIC', namespaceSelectors: [{ matchLabels: { a: 'b' }, matchExpressions: [] }] },
        ],
      },
      serviceScopes: [
        {
          services: { matchLabels: { spread: 'no' }, matchExpressions: [] },
          namespaces: undefined,
          global: false,
        },
        { services: {}, namespaces: { matchLabels: { a: 'b' }, matchExpressions: [] }, global: true },
      ],
    });
  });

  it('take the network from the label of the system namespace', () => {
    const system = namespaceNamed('istio-system', { labels: { 'topology.istio.io/network': 'n1' } });
    expect(readMeshSettings(meshDefaults, undefined, system).settings.network).to.equal('n1');
  });

  for (const [text, path] of [
    ['{', 'data.mesh'],
    ['a: &a [1]\nb: *a', 'data.mesh'],
    ['[]', ''],
    ['trustDomain: a/b', 'trustDomain'],
    ['trustDomain: 7', 'trustDomain'],
    ['trustDomain: ".."', 'trustDomain'],
    ['rootNamespace: Root', 'rootNamespace'],
    ['trustDomainAliases: x', 'trustDomainAliases'],
    ['trustDomainAliases: [ok, a b]', 'trustDomainAliases[1]'],
    ['discoverySelectors: [{matchLabels: {a: 1}}]', 'discoverySelectors[0].matchLabels["a"]'],
    [
      'discoverySelectors: [{matchExpressions: [{key: a, operator: Is}]}]',
      'discoverySelectors[0].matchExpressions[0].operator',
    ],
    ['serviceEntryVisibility: PUBLIC', 'serviceEntryVisibility'],
    ['serviceEntryVisibility: {defaultVisibility: ALL}', 'serviceEntryVisibility.defaultVisibility'],
    [
      'serviceEntryVisibility: {policies: [{matchingRules: {}}]}',
      'serviceEntryVisibility.policies[0].matchingRules',
    ],
    [
      'serviceEntryVisibility: {policies: [{matchingRules: [{}]}]}',
      'serviceEntryVisibility.policies[0].matchingRules[0].namespaceSelector',
    ],
  ] as const) {
    it(`refuse ${JSON.stringify(text)} by path, and keep the rest`, () => {
      expect(pathsOf(text)).to.include(path);
      expect(read(text).settings.trustDomain).to.equal('cluster.local');
    });
  }

  it('narrow a visibility that cannot be read, and never widen by a rule that cannot', () => {
    const visibility = (text: string): unknown => read(text).settings.serviceEntryVisibility;
    expect(visibility('serviceEntryVisibility: 7')).to.deep.equal({
      defaultVisibility: 'NAMESPACE',
      policies: [],
    });
    expect(visibility('serviceEntryVisibility: {defaultVisibility: ALL}')).to.have.property(
      'defaultVisibility',
      'NAMESPACE',
    );
    const unreadable = '{visibility: PUBLIC, matchingRules: [{namespaceSelector: {matchLabels: {a: 1}}}]}';
    expect(visibility(`serviceEntryVisibility: {policies: [${unreadable}]}`)).to.have.property('policies')
      .that.is.empty;
  });
});

describe('scope of the control plane', () => {
  it('leaves entries and policies of another revision alone, and no other kinds', () => {
    const entry = (rev?: string) =>
      serviceEntry('e', 'ns', {}, rev === undefined ? {} : { labels: { 'istio.io/rev': rev } });
    expect(isOfRevision('ServiceEntry', entry(), 'default')).to.equal(true);
    expect(isOfRevision('ServiceEntry', entry('default'), 'default')).to.equal(true);
    expect(isOfRevision('ServiceEntry', entry('canary'), 'default')).to.equal(false);
    expect(isOfRevision('Pod', podNamed('p', { labels: { 'istio.io/rev': 'canary' } }), 'default')).to.equal(
      true,
    );
  });

  it('takes namespaces that match any selector, the system namespace, and all without selectors', () => {
    const selecting = {
      ...mesh,
      discoverySelectors: [{ matchLabels: { a: 'b' } }, { matchLabels: { c: 'd' } }],
    };
    expect(isDiscovered(namespaceNamed('x'), mesh)).to.equal(true);
    expect(isDiscovered(namespaceNamed('x'), selecting)).to.equal(false);
    expect(isDiscovered(namespaceNamed('x', { labels: { c: 'd' } }), selecting)).to.equal(true);
    expect(isDiscovered(namespaceNamed('istio-system'), selecting)).to.equal(true);
  });
});
