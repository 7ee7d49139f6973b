import { expect } from 'chai';
import { decodeHello, decodeReply } from '../../packages/cni/src/zds/messages.ts';
import { encodeAdd, encodeDel, encodeKeep, encodeSnapshotSent } from '../../packages/cni/src/zds/messages.ts';
import { decodeRequest, encodeHello, encodeReply } from '../../packages/ztunnel/src/capture/zds-messages.ts';

/*
 * ZDS byte for byte, as Istio's agent and ztunnel write it (workload.zds): each side of ours talks to the other side of
 * Istio's.
 */

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('packets between agent and ztunnel', () => {
  const written: readonly (readonly [string, Uint8Array, string])[] = [
    ['hello, version 1', encodeHello(), '08 01'],
    ['success', encodeReply(''), '0a 00'],
    ['refusal "no"', encodeReply('no'), '0a 04 0a 02 6e6f'],
    [
      'add: uid 1, workload_info 2 {name 1, namespace 2, service_account 3}',
      encodeAdd({ uid: 'u', name: 'n', namespace: 's', serviceAccount: 'a' }),
      '0a 0e 0a 01 75 12 09 0a 01 6e 12 01 73 1a 01 61',
    ],
    ['del: field 2, uid 2', encodeDel('u'), '12 03 12 01 75'],
    ['end of the snapshot: field 3', encodeSnapshotSent(), '1a 00'],
    ['keep: field 5, uid 1', encodeKeep('u'), '2a 03 0a 01 75'],
  ];
  for (const [what, packet, expected] of written)
    it(`writes ${what}`, () => expect(hex(packet)).to.equal(expected.replaceAll(' ', '')));

  const added = { kind: 'add', uid: 'u', name: { namespace: 's', name: 'n', serviceAccount: 'a' } };
  const read: readonly (readonly [string, string, unknown])[] = [
    ['an add', '0a0e 0a0175 1209 0a016e 120173 1a0161', added],
    ['an add with fields in another order', '0a0e 1209 1a0161 120173 0a016e 0a0175', added],
    ['an add with a field of a later version', '0a11 0a0175 1209 0a016e 120173 1a0161 7a0178', added],
    ['an add without a workload', '0a03 0a0175', { kind: 'add', uid: 'u', name: undefined }],
    ['a del', '1203 120175', { kind: 'del', uid: 'u' }],
    ['the end of the snapshot', '1a00', { kind: 'snapshot-sent' }],
    ['a keep', '2a03 0a0175', { kind: 'keep', uid: 'u' }],
  ];
  for (const [what, packet, expected] of read)
    it(`reads ${what}`, () => expect(decodeRequest(bytes(packet))).to.deep.equal(expected));

  it('reads what ztunnel says', () => {
    expect(() => decodeHello(bytes('08 01'))).to.not.throw();
    expect(() => decodeHello(bytes('08 02'))).to.throw(/version 2/);
    expect(decodeReply(bytes('0a 00'))).to.deep.equal({ kind: 'ok' });
    expect(decodeReply(bytes('0a 04 0a 02 6e6f'))).to.deep.equal({ kind: 'refused', reason: 'no' });
    expect(() => decodeReply(bytes(''))).to.throw(/without a result/);
  });
});
