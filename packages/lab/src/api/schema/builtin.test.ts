import { expect } from 'chai';

import { valueAt } from '../object.ts';
import type { JsonObject } from '../object.ts';
import { builtInResources } from '../resources/builtin-resources.ts';
import { ApiTypes, ApiTypesError } from './api-types.ts';
import { builtInSchema } from './builtin.ts';
import type { SchemaNode } from './schema-node.ts';

/** The node at a path of field names; `*` steps into items. */
function nodeAt(kind: readonly [string, string, string], ...path: string[]): SchemaNode {
  let node: SchemaNode | undefined = builtInSchema(...kind)?.root;
  for (const step of path) node = step === '*' ? node?.items : node?.properties.get(step);
  if (node === undefined) return expect.fail(`${kind.join('/')} has no ${path.join('.')}`);
  return node;
}

const pod = ['', 'v1', 'Pod'] as const;
const service = ['', 'v1', 'Service'] as const;
const deployment = ['apps', 'v1', 'Deployment'] as const;

describe('schemas of built-in kinds', () => {
  it('are there for every kind that is served', () => {
    const missing = builtInResources((group, version, kind) => builtInSchema(group, version, kind))
      .filter(({ versions }) => versions[0]?.schema === undefined)
      .map(({ kind }) => kind);
    expect(missing).to.deep.equal([]);
  });

  it('and for no other', () => {
    expect(builtInSchema('', 'v1', 'Nonsense')).to.equal(undefined);
    expect(builtInSchema('', 'v2', 'Pod')).to.equal(undefined);
    expect(builtInSchema('', '__proto__', 'Pod')).to.equal(undefined);
  });

  it('name the keys by which patches join lists', () => {
    const keys: [readonly [string, string, string], string[], string | undefined, string[]][] = [
      [pod, ['spec', 'containers'], 'name', ['name']],
      [pod, ['spec', 'containers', '*', 'ports'], 'containerPort', ['containerPort', 'protocol']],
      [pod, ['spec', 'containers', '*', 'env'], 'name', ['name']],
      [pod, ['spec', 'containers', '*', 'volumeMounts'], 'mountPath', ['mountPath']],
      [pod, ['spec', 'volumes'], 'name', ['name']],
      [pod, ['status', 'conditions'], 'type', ['type']],
      [pod, ['status', 'podIPs'], 'ip', ['ip']],
      [pod, ['metadata', 'ownerReferences'], 'uid', ['uid']],
      [service, ['spec', 'ports'], 'port', ['port', 'protocol']],
      [deployment, ['spec', 'template', 'spec', 'containers'], 'name', ['name']],
      [
        ['apiextensions.k8s.io', 'v1', 'CustomResourceDefinition'],
        ['status', 'conditions'],
        undefined,
        ['type'],
      ],
      [
        ['admissionregistration.k8s.io', 'v1', 'ValidatingWebhookConfiguration'],
        ['webhooks'],
        'name',
        ['name'],
      ],
    ];
    for (const [kind, path, patchKey, mapKeys] of keys) {
      const node = nodeAt(kind, ...path);
      expect([node.patchMergeKey, node.mapKeys, node.listType], path.join('.')).to.deep.equal([
        patchKey,
        mapKeys,
        'map',
      ]);
    }
  });

  it('merge finalizers, keep volumes to one source, and replace what is atomic', () => {
    expect(nodeAt(pod, 'metadata', 'finalizers')).to.include({ listType: 'set', patchMerge: true });
    expect(nodeAt(pod, 'spec', 'volumes')).to.include({ patchMerge: true, patchRetainKeys: true });
    expect(nodeAt(pod, 'spec', 'tolerations')).to.include({ listType: 'atomic', patchMerge: false });
    expect(nodeAt(pod, 'spec', 'nodeSelector').atomicMap).to.equal(true);
    expect(nodeAt(service, 'spec', 'selector').atomicMap).to.equal(true);
    expect(nodeAt(deployment, 'spec', 'selector').atomicMap).to.equal(true);
  });

  function made(
    kind: readonly [string, string, string],
    spec: unknown,
  ): { object: JsonObject; problems: string[]; removed: string[] } {
    const schema = builtInSchema(...kind)!;
    const object: JsonObject = { apiVersion: kind[1], kind: kind[2], metadata: { name: 'x' }, spec };
    const removed = schema.prune(object);
    schema.applyDefaults(object);
    return {
      object,
      removed,
      problems: schema.validate(object).map(({ path, message }) => `${path}: ${message}`),
    };
  }

  it('fill in what an API server does', () => {
    const { object } = made(pod, { containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] });
    expect(object['spec']).to.deep.include({
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      terminationGracePeriodSeconds: 30,
    });
    expect(valueAt(made(service, { ports: [{ port: 80 }] }).object, ['spec'])).to.deep.equal({
      ports: [{ port: 80, protocol: 'TCP' }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    });
    expect(
      valueAt(made(deployment, { selector: {}, template: {} }).object, ['spec', 'strategy']),
    ).to.deep.equal({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
    });
  });

  it('refuse what users trip over', () => {
    expect(made(pod, {}).problems).to.deep.equal(['spec.containers: Required value']);
    expect(made(pod, { containers: [{ image: 'x' }] }).problems).to.deep.equal([
      'spec.containers[0].name: Required value',
    ]);
    expect(made(pod, { containers: [], restartPolicy: 'always' }).problems).to.deep.equal([
      'spec.restartPolicy: Unsupported value: "always": supported values: "Always", "OnFailure", "Never"',
    ]);
    expect(made(pod, { containers: [{ name: 'a' }, { name: 'a' }] }).problems).to.deep.equal([
      'spec.containers[1]: Duplicate value: {"name":"a"}',
    ]);
    expect(made(service, { ports: [{ port: 'http' }] }).problems).to.deep.equal([
      'spec.ports[0].port: Invalid value: "string": spec.ports[0].port in body must be of type integer: "string"',
    ]);
    expect(made(deployment, { replicas: 1 }).problems).to.deep.equal([
      'spec.selector: Required value',
      'spec.template: Required value',
    ]);
  });

  it('accept what an API server accepts, although it looks wrong', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ];
    const ports = [{ containerPort: 80 }, { containerPort: 80 }];
    expect(
      made(pod, { containers: [{ name: 'c', env, ports, resources: { limits: { cpu: 1, memory: '1Gi' } } }] })
        .problems,
    ).to.deep.equal([]);
    expect(made(pod, { containers: null as unknown, nodeName: null }).problems).to.deep.equal([
      'spec.containers: Required value',
    ]);
  });

  it('know every field, so that a typo is found', () => {
    expect(
      made(pod, { containers: [{ name: 'c', livenessprobe: {} }], hostAliases: [] }).removed,
    ).to.deep.equal(['spec.containers[0].livenessprobe']);
    const volumes = [{ name: 'v', iscsi: { targetPortal: 'x', anything: 1 } }];
    expect(made(pod, { containers: [], volumes }).removed).to.deep.equal([]);
  });
});

describe('the notation of API types', () => {
  const cases: [string, string, string][] = [
    ['a line that is no type', 'nonsense', 'not a type'],
    ['a field without a type', 'A: field', 'not a field'],
    ['a type that nobody defined', 'A: b Missing', 'has no type Missing'],
    ['a modifier that does not exist', 'A: b [string] sorted', 'no modifier is called "sorted"'],
  ];
  for (const [what, text, message] of cases)
    it(`refuses ${what}`, () =>
      expect(() => new ApiTypes('p', text).type('A')).to.throw(ApiTypesError, message));
});
