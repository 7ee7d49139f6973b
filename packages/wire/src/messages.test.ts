import { expect } from 'chai';
import fc from 'fast-check';
import { fuzzBudget } from '@ambient/testkit';

import { staleFiles } from './generate.ts';
import { envoy, google, grpcMethod, istio, typeUrl } from './index.ts';

/** Bytes as hex, for comparison with a hand-computed encoding. */
function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('wire messages', () => {
  it('are generated from proto/ as it stands', function () {
    this.timeout(60_000);
    expect(staleFiles(), 'run npm run generate:wire').to.deep.equal([]);
  });

  it('put field numbers on the wire as the protocol numbers them', () => {
    const { Workload, NetworkAddress } = istio.workload;
    const { WorkloadRequest, WorkloadResponse, ZdsHello } = istio.workload.zds;
    // Tags are (field << 3 | wire type).
    expect(hex(Workload.encode({ uid: 'u' }).finish())).to.equal('a2010175');
    expect(hex(Workload.encode({ services: { 'a/b': { ports: [{ servicePort: 80 }] } } }).finish())).to.equal(
      'b2010b' + '0a03612f62' + '1204' + '0a020850',
    );
    expect(hex(NetworkAddress.encode({ length: 0 }).finish())).to.equal('1800');
    expect(hex(ZdsHello.encode({ version: istio.workload.zds.Version.V1 }).finish())).to.equal('0801');
    expect(hex(WorkloadRequest.encode({ keep: { uid: 'u' } }).finish())).to.equal('2a030a0175');
    expect(hex(WorkloadRequest.encode({ del: { uid: 'u' } }).finish())).to.equal('1203120175');
    expect(hex(WorkloadResponse.encode({ ack: {} }).finish())).to.equal('0a00');
    expect(hex(istio.v1.auth.IstioCertificateRequest.encode({ validityDuration: 86400 }).finish())).to.equal(
      '1880a305',
    );
  });

  it('tell an absent optional field from zero', () => {
    const { NetworkAddress } = istio.workload;
    expect(NetworkAddress.decode(Buffer.from('1800', 'hex')).length).to.equal(0);
    expect(NetworkAddress.decode(Buffer.alloc(0)).length).to.equal(null);
  });

  it('skip unknown fields and keep unknown enum values as numbers', () => {
    // tunnel_protocol = 77, then field 99 as a string.
    const decoded = istio.workload.Workload.decode(Buffer.from('284d9a060161', 'hex'));
    expect(decoded.tunnelProtocol).to.equal(77);
    expect(decoded.uid).to.equal('');
  });

  it('carry a struct and an Any', () => {
    const node = envoy.config.core.v3.Node.encode({
      id: 'n',
      metadata: { fields: { NAME: { stringValue: 'ztunnel' } } },
    }).finish();
    expect(envoy.config.core.v3.Node.decode(node).metadata?.fields?.['NAME']?.stringValue).to.equal(
      'ztunnel',
    );
    const any = google.protobuf.Any.encode({ type_url: typeUrl.address, value: Buffer.from('x') }).finish();
    expect(google.protobuf.Any.decode(any).type_url).to.equal(typeUrl.address);
    expect(grpcMethod.createCertificate).to.match(/^\/istio\.v1\.auth\./);
  });

  it('throw only Error objects on arbitrary bytes, and re-encode what they accept [fuzz]', () => {
    const decoders = [
      istio.workload.Address,
      istio.security.Authorization,
      envoy.service.discovery.v3.DeltaDiscoveryResponse,
      istio.workload.zds.WorkloadRequest,
      istio.v1.auth.IstioCertificateResponse,
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const type of decoders) {
          let message;
          try {
            message = type.decode(bytes);
          } catch (error) {
            if (!(error instanceof Error)) throw error;
            continue;
          }
          expect(type.encode(message).finish()).to.be.instanceOf(Uint8Array);
        }
      }),
      fuzzBudget(),
    );
  });
});
