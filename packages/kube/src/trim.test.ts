import { expect } from 'chai';
import fc from 'fast-check';
import { fuzzBudget } from '@ambient/testkit';

import { kindNames } from './kinds.ts';
import { objectKey, trimObject } from './trim.ts';

describe('trimObject', () => {
  const meta = { name: 'x', namespace: 'n', uid: 'u', resourceVersion: '1' };

  it('keeps of a pod what is read, and nothing else', () => {
    const ports = [{ name: 'http', containerPort: 80, protocol: 'TCP', hostPort: 80 }];
    const pod = trimObject('Pod', 'v1', {
      metadata: { ...meta, managedFields: [{}], labels: { app: 'a' } },
      spec: {
        nodeName: 'node',
        serviceAccountName: 'sa',
        volumes: [{}],
        containers: [{ name: 'c', image: 'i', env: [], ports }],
        initContainers: [
          { name: 'once', ports },
          { name: 'sidecar', restartPolicy: 'Always', ports, image: 'i' },
        ],
      },
      status: {
        phase: 'Running',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }],
        hostIP: '1.1.1.1',
        conditions: [
          { type: 'PodScheduled', status: 'True' },
          { type: 'Ready', status: 'True', lastTransitionTime: 't', lastProbeTime: null },
        ],
      },
    });
    const kept = [{ name: 'http', containerPort: 80, protocol: 'TCP' }];
    expect(pod).deep.equal({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...meta, labels: { app: 'a' } },
      spec: {
        nodeName: 'node',
        serviceAccountName: 'sa',
        containers: [{ name: 'c', ports: kept }],
        initContainers: [{ name: 'sidecar', ports: kept, restartPolicy: 'Always' }],
      },
      status: {
        phase: 'Running',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
  });

  it('keeps of a node its metadata: heartbeats change nothing', () => {
    const node = trimObject('Node', 'v1', { metadata: { ...meta }, status: { conditions: [{}] }, spec: {} });
    expect(node).deep.equal({ apiVersion: 'v1', kind: 'Node', metadata: meta });
  });

  it('drops the last applied configuration from the annotations, and keeps the rest of an object', () => {
    const annotations = { a: 'b', 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const service = trimObject('Service', 'v1', { metadata: { ...meta, annotations }, spec: { ports: [] } });
    expect(service?.metadata.annotations).deep.equal({ a: 'b' });
    expect(service?.spec).deep.equal({ ports: [] });
    expect([objectKey(service!), objectKey({ metadata: { name: 'n', uid: '' } })]).deep.equal(['n/x', 'n']);
  });

  it('any JSON is an object with a name, or none [fuzz]', () => {
    const pod = fc.record(
      { metadata: fc.oneof(fc.constant(meta), fc.jsonValue()), spec: fc.jsonValue(), status: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const lists = fc.record({
      metadata: fc.constant(meta),
      spec: fc.record({ containers: fc.array(fc.jsonValue()), initContainers: fc.array(fc.jsonValue()) }),
      status: fc.record({ conditions: fc.array(fc.jsonValue()) }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...kindNames), fc.oneof(fc.jsonValue(), pod, lists), (kind, raw) => {
        const object = trimObject(kind, 'v1', raw);
        if (object !== undefined) expect(objectKey(object)).not.equal('');
      }),
      fuzzBudget(),
    );
  });
});
