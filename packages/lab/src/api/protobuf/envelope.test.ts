import { expect } from 'chai';
import protobuf from 'protobufjs';

import { ApiError } from '../errors.ts';
import type { JsonObject } from '../object.ts';
import { builtInResources } from '../resources/builtin-resources.ts';
import { apiVersionOf } from '../resources/resource.ts';
import { decodeObject, encodeObject, encodeWatchEvent, NoProtobufError } from './envelope.ts';
import { messageOfKind, messageTypes } from './kinds.ts';

/** An envelope by hand: field numbers as in apimachinery's generated.proto. */
function envelope(apiVersion: string, kind: string, raw: Uint8Array): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork().uint32(10).string(apiVersion).uint32(18).string(kind).ldelim();
  writer.uint32(18).bytes(raw);
  return Buffer.concat([Buffer.from('k8s\0'), writer.finish()]);
}

function refusal(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    return error as ApiError;
  }
  throw new Error('not refused');
}

const deployment: JsonObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    labels: { app: 'web', empty: '' },
    creationTimestamp: '2026-01-02T03:04:05Z',
    generation: 3,
    ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u', controller: false }],
    managedFields: [
      { manager: 'm', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': {} }, time: '1969-12-31T23:59:59Z' },
    ],
  },
  spec: {
    replicas: 0,
    selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
    strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: -1 } },
    template: {
      metadata: {},
      spec: {
        containers: [
          {
            name: 'web',
            image: 'example/web',
            resources: { limits: { cpu: '100m' } },
            env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } }],
            livenessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 5 },
          },
        ],
        volumes: [{ name: 'v', projected: { sources: [{ configMap: { name: 'c' } }] } }],
        terminationGracePeriodSeconds: 0,
      },
    },
  },
  status: {},
};

describe('objects as protocol buffers', () => {
  it('decodes bytes made by hand: scalars, zero values, maps, times', () => {
    const writer = protobuf.Writer.create();
    writer.uint32(10).fork(); // metadata
    writer.uint32(10).string('one').uint32(18).string(''); // name, generateName
    writer.uint32(66).fork().uint32(8).int64(1_700_000_000).uint32(16).int32(999).ldelim(); // creationTimestamp
    writer.uint32(90).fork().uint32(10).string('app').uint32(18).string('web').ldelim(); // labels
    writer.ldelim();
    writer
      .uint32(18)
      .fork()
      .uint32(10)
      .string('k')
      .uint32(18)
      .bytes(Buffer.from([0, 255]))
      .ldelim(); // data
    writer.uint32(40).bool(false); // immutable, a pointer: false is not absent
    expect(decodeObject(envelope('v1', 'Secret', writer.finish()))).to.deep.equal({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'one', creationTimestamp: '2023-11-14T22:13:20Z', labels: { app: 'web' } },
      data: { k: 'AP8=' },
      immutable: false,
    });
  });

  it('gives back what it encoded: inline sources, integers or texts, quantities, embedded JSON', () => {
    expect(decodeObject(encodeObject(deployment))).to.deep.equal(deployment);
  });

  it('keeps microseconds where the API has them', () => {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'l' },
      spec: { renewTime: '2026-01-02T03:04:05.000678Z', leaseDurationSeconds: 15 },
    };
    expect(decodeObject(encodeObject(lease))).to.deep.equal(lease);
  });

  it('knows the unions in schemas of custom resources', () => {
    const schema = {
      type: 'object',
      additionalProperties: false,
      properties: {
        list: { type: 'array', items: { type: 'string' }, default: [1, 'a'] },
        map: { type: 'object', additionalProperties: { type: 'integer' } },
      },
    };
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'a.b' },
      spec: {
        group: 'b',
        names: { plural: 'a', kind: 'A' },
        scope: 'Cluster',
        versions: [{ name: 'v1', served: true, storage: false, schema: { openAPIV3Schema: schema } }],
      },
      status: {},
    };
    const decoded = decodeObject(encodeObject(definition)) as typeof definition;
    expect(decoded.spec.versions[0]!.schema.openAPIV3Schema).to.deep.equal(schema);
  });

  it('encodes lists and events of a watch', () => {
    const list = {
      apiVersion: 'v1',
      kind: 'ConfigMapList',
      metadata: { resourceVersion: '7' },
      items: [{ metadata: { name: 'a' } }],
    };
    expect(decodeObject(encodeObject(list))).to.deep.equal(list);
    const event = encodeWatchEvent('ADDED', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } });
    expect(event.readUInt32BE(0)).to.equal(event.length - 4);
    expect(event.subarray(4, 11).toString()).to.equal('\n\x05ADDED');
  });

  it('has a message for every built-in kind, and every message that one refers to', () => {
    for (const { group, kind, storageVersion } of builtInResources(() => undefined)) {
      const root = messageOfKind(apiVersionOf(group, storageVersion), kind);
      expect(root, `${group} ${kind}`).to.not.equal(undefined);
      for (const { type } of root!.byNumber.values())
        if (!/^(Time|MicroTime|Quantity|RawExtension|string|bytes|bool|u?int\d\d)$/.test(type))
          expect(() => messageTypes.message(root!, type)).to.not.throw();
    }
    expect(messageOfKind('apps/v1', 'DeleteOptions')?.name).to.equal('DeleteOptions');
  });

  it('says of a custom resource that it has no such encoding', () => {
    expect(() => decodeObject(envelope('example.com/v1', 'Thing', new Uint8Array()))).to.throw(
      NoProtobufError,
    );
    expect(() => encodeObject({ apiVersion: 'example.com/v1', kind: 'Thing' })).to.throw(NoProtobufError);
  });

  describe('hostile bytes', () => {
    const pod = (raw: Uint8Array): Buffer => envelope('v1', 'Pod', raw);
    it('without the magic are refused by name', () => {
      expect(refusal(() => decodeObject(Buffer.from('{"kind":"Pod"}'))).message).to.contain('"k8s\\0"');
    });
    it('cut off anywhere never do worse than 400', () => {
      const whole = encodeObject(deployment);
      for (let length = 0; length < whole.length; length++)
        try {
          decodeObject(whole.subarray(0, length));
        } catch (error) {
          if (!(error instanceof NoProtobufError))
            expect(error).to.be.instanceOf(ApiError).with.property('code', 400);
        }
    });
    it('with a length beyond the end are refused', () => {
      expect(refusal(() => decodeObject(pod(Buffer.from([10, 255, 255, 255, 127])))).code).to.equal(400);
      expect(refusal(() => decodeObject(pod(Buffer.from([10, 2, 10, 100, 65])))).code).to.equal(400);
    });
    it('with the wrong wire type are refused by the field', () => {
      expect(refusal(() => decodeObject(pod(Buffer.from([8, 1])))).message).to.contain('Pod.metadata');
    });
    it('with embedded JSON that is none are refused', () => {
      const fields = protobuf.Writer.create();
      fields.uint32(10).fork().uint32(138).fork().uint32(58).fork().uint32(10).string('{').ldelim().ldelim();
      fields.ldelim();
      expect(refusal(() => decodeObject(pod(fields.finish()))).code).to.equal(400);
    });
    it('nested without end are refused', () => {
      let inner: Uint8Array = new Uint8Array();
      for (let depth = 0; depth < 1000; depth++)
        inner = protobuf.Writer.create().uint32(226).bytes(inner).finish(); // JSONSchemaProps.not
      const wrap = (field: number, bytes: Uint8Array): Uint8Array =>
        protobuf.Writer.create()
          .uint32((field << 3) | 2)
          .bytes(bytes)
          .finish();
      const definition = wrap(2, wrap(7, wrap(4, wrap(1, inner))));
      const error = refusal(() =>
        decodeObject(envelope('apiextensions.k8s.io/v1', 'CustomResourceDefinition', definition)),
      );
      expect(error.message).to.contain('nested');
    });
    it('cannot reach the prototype of objects by a key', () => {
      const fields = protobuf.Writer.create();
      fields
        .uint32(10)
        .fork()
        .uint32(90)
        .fork()
        .uint32(10)
        .string('__proto__')
        .uint32(18)
        .string('x')
        .ldelim();
      fields.ldelim();
      const { metadata } = decodeObject(pod(fields.finish())) as unknown as { metadata: { labels: object } };
      expect(Object.keys(metadata.labels)).to.deep.equal(['__proto__']);
      expect(Object.getPrototypeOf(metadata.labels)).to.equal(Object.prototype);
    });
  });
});
