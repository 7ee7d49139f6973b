import { expect } from 'chai';
import { parseWrk } from './wrk.ts';

const report = `Running 2s test @ http://10.77.0.2:8080/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.16ms    2.00ms  30.10ms   97.00%
    Req/Sec    29.50k     2.00k   33.00k    70.00%
  Latency Distribution
     50%  950.00us
     75%    1.10ms
     90%    1.50ms
     99%    1.20s
  59000 requests in 2.00s, 9.10MB read
Requests/sec:  29500.50
Transfer/sec:      4.55MB
`;

describe('report of wrk', () => {
  it('gives rates and times in microseconds', () => {
    expect(parseWrk(report)).to.deep.equal({
      requests: 59_000,
      requestsPerSecond: 29_500.5,
      p50: 950,
      p99: 1_200_000,
    });
  });

  it('with failures in it is refused', () => {
    const errors = '  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec';
    expect(() => parseWrk(report.replace('Requests/sec', errors))).to.throw('read 3');
    const answers = '  Non-2xx or 3xx responses: 12\nRequests/sec';
    expect(() => parseWrk(report.replace('Requests/sec', answers))).to.throw('Non-2xx');
  });

  it('that is cut off is refused', () => {
    expect(() => parseWrk(report.slice(0, 300))).to.throw('no ');
  });
});
