import { expect } from 'chai';
import { parseIperf } from './iperf.ts';

describe('report of iperf3', () => {
  it('gives what was received', () => {
    const end = {
      sum_sent: { bits_per_second: 9e9, bytes: 9 },
      sum_received: { bits_per_second: 8e9, bytes: 5e9 },
    };
    expect(parseIperf(JSON.stringify({ end }))).to.deep.equal({ gbitPerSecond: 8, bytes: 5e9 });
  });

  it('of a failed run is refused in its own words', () => {
    expect(() => parseIperf(JSON.stringify({ end: {}, error: 'the server is busy' }))).to.throw(
      'the server is busy',
    );
    expect(() => parseIperf('{"end":{}}')).to.throw('no summary');
  });
});
