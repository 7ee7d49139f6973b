import { damagedBytes, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { envoy, google, istio, typeUrl } from './index.ts';

const { DeltaDiscoveryRequest, DeltaDiscoveryResponse } = envoy.service.discovery.v3;
const { IstioCertificateRequest, IstioCertificateResponse } = istio.v1.auth;
const { WorkloadRequest, WorkloadResponse } = istio.workload.zds;

interface Codec {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}

/** One whole message of each kind that comes from outside. */
const samples: readonly [string, Codec, object][] = [
  [
    'discovery response',
    DeltaDiscoveryResponse,
    {
      systemVersionInfo: 'v1',
      typeUrl: typeUrl.address,
      nonce: 'n',
      removedResources: ['a', 'b'],
      resources: [
        {
          name: 'c//Pod/a/1',
          version: '1',
          aliases: ['net/10.0.0.1'],
          resource: {
            type_url: typeUrl.address,
            value: istio.workload.Address.encode({ workload: { uid: 'c//Pod/a/1' } }).finish(),
          },
        },
      ],
    },
  ],
  [
    'discovery request',
    DeltaDiscoveryRequest,
    {
      node: {
        id: 'ztunnel~10.0.0.1~a.b~b.svc.cluster.local',
        metadata: {
          fields: {
            NAME: { stringValue: 'a' },
            DEEP: {
              structValue: {
                fields: { x: { listValue: { values: [{ numberValue: 1 }, { nullValue: 0 }] } } },
              },
            },
          },
        },
      },
      typeUrl: typeUrl.address,
      initialResourceVersions: { a: '1', b: '' },
      errorDetail: { code: 3, message: 'no' },
      resourceNamesSubscribe: ['*'],
    },
  ],
  ['certificate request', IstioCertificateRequest, { csr: 'PEM', validityDuration: 86_400 }],
  ['certificate response', IstioCertificateResponse, { certChain: ['leaf', 'root'] }],
  [
    'message of the node agent',
    WorkloadRequest,
    { add: { uid: 'u', workloadInfo: { name: 'a', namespace: 'b', serviceAccount: 'c' } } },
  ],
  ['answer to the node agent', WorkloadResponse, { ack: { error: 'no' } }],
];

describe('wire messages under fuzz', () => {
  for (const [what, codec, sample] of samples) {
    it(`a damaged ${what} is refused by an error, or is a message that goes over the wire again [fuzz]`, () => {
      const whole = codec.encode(sample).finish();
      expect(Buffer.from(codec.encode(codec.decode(whole)).finish())).to.deep.equal(Buffer.from(whole));
      fc.assert(
        fc.property(damagedBytes(fc.constant(whole)), (bytes) => {
          let message: object;
          try {
            message = codec.decode(bytes);
          } catch (error) {
            expect(error).to.be.instanceOf(Error).and.not.instanceOf(TypeError);
            return;
          }
          // An entry of a map may come without its value; the decoder leaves null, which does not encode.
          if (codec === DeltaDiscoveryRequest) return;
          const once = codec.encode(message).finish();
          expect(Buffer.from(codec.encode(codec.decode(once)).finish())).to.deep.equal(Buffer.from(once));
          expect(Object.prototype).to.not.have.property('stringValue');
        }),
        fuzzBudget(),
      );
    });
  }

  it('nests as deep as it likes and is refused before the stack ends [fuzz]', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.boolean(), (depth, lists) => {
        // Each level is list_value { values { ... } } or struct_value { fields { value { ... } } }.
        let bytes: Buffer = Buffer.alloc(0);
        for (let i = 0; i < depth; i++)
          bytes = lists ? field(6, field(1, bytes)) : field(5, field(1, field(2, bytes)));
        let refused = false;
        try {
          google.protobuf.Value.decode(bytes);
        } catch (error) {
          expect(error).to.be.instanceOf(Error).and.not.instanceOf(RangeError);
          refused = true;
        }
        if (depth <= 10) expect(refused).to.equal(false);
        if (depth >= 200) expect(refused).to.equal(true);
      }),
      fuzzBudget(),
    );
  });
});

/** A field of wire type 2: its tag, the length of its content, its content. */
function field(number: number, content: Buffer): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.of((number << 3) | 2, ...length, rest), content]);
}
