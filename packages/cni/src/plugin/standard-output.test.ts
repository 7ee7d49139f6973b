import { expect } from 'chai';
import { writeOutput } from './standard-output.ts';

describe("the plugin's standard output", () => {
  it('is written whole, however little is taken at a time', () => {
    const taken: string[] = [];
    const now = (bytes: Uint8Array): number => {
      taken.push(Buffer.from(bytes.subarray(0, 3)).toString());
      return Math.min(3, bytes.length);
    };
    const later = (): never => expect.fail('all was taken');
    expect(writeOutput('{"a":1}\n', { now, later })).to.equal(true);
    expect(taken.join('')).to.equal('{"a":1}\n');
  });

  it('leaves to the stream what a full pipe does not take', () => {
    let calls = 0;
    const now = (): number => {
      if (calls++ === 0) return 3;
      throw Object.assign(new Error('full'), { code: 'EAGAIN' });
    };
    const left: string[] = [];
    const later = (bytes: Uint8Array): void => void left.push(Buffer.from(bytes).toString());
    expect(writeOutput('{"a":1}', { now, later })).to.equal(false);
    expect(left).to.deep.equal(['":1}']);
  });

  it('fails when nobody listens', () => {
    const now = (): never => {
      throw Object.assign(new Error('broken pipe'), { code: 'EPIPE' });
    };
    expect(() => writeOutput('x', { now, later: () => undefined })).to.throw('broken pipe');
  });
});
