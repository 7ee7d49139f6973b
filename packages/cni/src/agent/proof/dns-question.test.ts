import { expect } from 'chai';
import { proofAddress } from '../../rules/host-rules.ts';
import { answersQuestion, encodeQuestion } from './dns-question.ts';

function answer(ipv6: boolean, data: string): Buffer {
  const question = Buffer.from(encodeQuestion(ipv6));
  question.writeUInt16BE(0x8580, 2);
  question.writeUInt16BE(1, 6);
  return Buffer.concat([
    question,
    Buffer.from(`c00c0001000100000000${data.length === 8 ? '0004' : '0010'}${data}`, 'hex'),
  ]);
}

describe('question of a proof', () => {
  it('is answered by the address of proofs', () => {
    expect(answersQuestion(answer(false, 'a9fe077e'), proofAddress.v4)).to.equal(true);
    expect(answersQuestion(answer(true, 'fd16925471271337fffffffffffffffe'), proofAddress.v6)).to.equal(true);
  });

  it('is not answered by anything else', () => {
    expect(answersQuestion(answer(false, '0a000001'), proofAddress.v4), 'another address').to.equal(false);
    expect(answersQuestion(Buffer.alloc(0), proofAddress.v4), 'nothing').to.equal(false);
    expect(answersQuestion(Buffer.alloc(80), proofAddress.v4), 'zeros').to.equal(false);
    expect(answersQuestion(Buffer.from(encodeQuestion(false)), proofAddress.v4), 'itself').to.equal(false);
    const refused = answer(false, 'a9fe077e');
    refused.writeUInt16BE(0, 6);
    expect(answersQuestion(refused, proofAddress.v4), 'without a record').to.equal(false);
  });
});
