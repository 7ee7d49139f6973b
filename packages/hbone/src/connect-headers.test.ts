import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import type { WorkloadFacts } from './connect-headers.ts';
import {
  decodeBaggage,
  decodeConnect,
  encodeBaggage,
  encodeConnect,
  traceparentOf,
} from './connect-headers.ts';

const facts: WorkloadFacts = {
  cluster: 'Kubernetes',
  namespace: 'shop',
  workloadType: 'deployment',
  workloadName: 'cart',
  serviceName: 'cart',
  serviceVersion: 'v1',
  region: 'r1',
  zone: 'z1',
};
const noFacts: WorkloadFacts = {
  cluster: '',
  namespace: '',
  workloadType: '',
  workloadName: '',
  serviceName: '',
  serviceVersion: '',
  region: '',
  zone: '',
};
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;

describe('CONNECT request headers', () => {
  it('have no pseudo-header but method and authority, and only what is known', () => {
    expect(encodeConnect({ authority: '10.0.0.1:80' })).to.deep.equal([
      ':method',
      'CONNECT',
      ':authority',
      '10.0.0.1:80',
    ]);
    expect(encodeConnect({ authority: 'x:1', baggage: '' })).to.not.include('baggage');
  });

  it('tell everything that is known', () => {
    const request = {
      authority: '[fd00::1]:80',
      forwardedFor: '10.0.0.9:4711',
      forwardedHost: 'web.shop.svc.cluster.local',
      baggage: 'k=v',
      traceparent,
      network: 'east',
    };
    expect(encodeConnect(request).slice(4)).to.deep.equal([
      'forwarded',
      'for="10.0.0.9:4711";host=web.shop.svc.cluster.local',
      'baggage',
      'k=v',
      'traceparent',
      traceparent,
      'x-forwarded-network',
      'east',
    ]);
    expect(decodeConnect(encodeConnect(request))).to.deep.equal(request);
  });

  it('are no CONNECT with another method', () => {
    expect(decodeConnect([':method', 'GET', ':authority', 'x:1'])).to.equal(undefined);
  });

  it('an absent authority is empty, for the destination to be refused', () => {
    expect(decodeConnect([':method', 'CONNECT'])?.authority).to.equal('');
  });

  for (const [header, forwardedFor, forwardedHost] of [
    ['for="10.0.0.1:1";host=a.b', '10.0.0.1:1', 'a.b'],
    ['For=10.0.0.1 ; HOST="a.b"', '10.0.0.1', 'a.b'],
    ['for="[fd00::1]:5"', '[fd00::1]:5', undefined],
    ['for=one, for=two;host=second', 'one', 'second'],
    ['host=', undefined, ''],
    ['for="a;host=evil,host=worse";host=good', 'a;host=evil,host=worse', 'good'],
    ['for="a\\"b\\\\";host=good', 'a"b\\', 'good'],
    ['for="a;host=lost', '"a;host=lost', undefined],
    ['by=x;proto=http', undefined, undefined],
    ['for', undefined, undefined],
    ['=x', undefined, undefined],
    ['for="', '"', undefined],
    ['', undefined, undefined],
    [';;,,;=;', undefined, undefined],
  ] as const)
    it(`reads Forwarded: ${JSON.stringify(header)}`, () => {
      const request = decodeConnect([':method', 'CONNECT', ':authority', 'x:1', 'forwarded', header]);
      expect(request).to.deep.include({ forwardedFor, forwardedHost });
    });

  for (const value of ['', '00-x', `${traceparent}0`, traceparent.slice(1)])
    it(`does not take ${JSON.stringify(value)} for a trace context`, () => {
      const request = decodeConnect([':method', 'CONNECT', ':authority', 'x:1', 'traceparent', value]);
      expect(request?.traceparent).to.equal(undefined);
    });

  it('a new trace context has the form of W3C, version 00', () => {
    expect(traceparentOf(Buffer.alloc(24, 0xab))).to.equal(`00-${'ab'.repeat(16)}-${'ab'.repeat(8)}-00`);
    expect(traceparentOf(Buffer.alloc(24))).to.have.length(55);
  });

  it('any header block is decoded or refused, never a fault [fuzz]', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (forwarded, baggage, trace) => {
        const block = [':method', 'CONNECT', ':authority', 'x:1', 'forwarded', forwarded];
        const request = decodeConnect([...block, 'baggage', baggage, 'traceparent', trace])!;
        expect(request.authority).to.equal('x:1');
        expect(
          Object.values(decodeBaggage(request.baggage!)).every((value) => typeof value === 'string'),
        ).to.equal(true);
      }),
      fuzzBudget(),
    );
  });
});

describe('baggage', () => {
  it('is written in one order, without what is empty', () => {
    expect(encodeBaggage(facts)).to.equal(
      'k8s.cluster.name=Kubernetes,k8s.namespace.name=shop,k8s.deployment.name=cart,service.name=cart,service.version=v1,cloud.region=r1,cloud.availability_zone=z1',
    );
    expect(encodeBaggage({ ...noFacts, workloadType: 'pod' })).to.equal('');
  });

  for (const type of ['DEPLOYMENT', 'CRONJOB', 'POD', 'JOB'])
    it(`names a workload of type ${type}`, () => {
      const written = encodeBaggage({ ...noFacts, workloadType: type, workloadName: 'x' });
      expect(written).to.equal(`k8s.${type.toLowerCase()}.name=x`);
      expect(decodeBaggage(written)).to.deep.include({ workloadType: type.toLowerCase(), workloadName: 'x' });
    });

  it('says the same when it is read', () => {
    expect(decodeBaggage(encodeBaggage(facts))).to.deep.equal(facts);
  });

  for (const [text, expected] of [
    ['', {}],
    ['service.name', {}],
    ['=x,,=,service.name=a', { serviceName: 'a' }],
    [' service.name = a , cloud.region= r ', { serviceName: 'a', region: 'r' }],
    ['service.name=a,service.name=b', { serviceName: 'b' }],
    ['service.name=a=b', { serviceName: 'a=b' }],
    ['k8s.statefulset.name=x,__proto__=y,constructor=z,toString=w', {}],
    ['SERVICE.NAME=a', {}],
  ] as const)
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(decodeBaggage(text)).to.deep.equal({ ...noFacts, ...expected });
    });

  it('of 64 KiB is read at once', () => {
    const member = 'service.name=x,';
    expect(decodeBaggage(member.repeat(4096)).serviceName).to.equal('x');
  });

  it('what was written is read back, whatever names hold that a list may hold [fuzz]', () => {
    const name = fc.stringMatching(/^[!-+\--<>-~]{0,20}$/);
    const record = fc.record({
      cluster: name,
      namespace: name,
      workloadType: fc.constantFrom('deployment', 'cronjob', 'pod', 'job'),
      workloadName: fc.stringMatching(/^[a-z]{1,20}$/),
      serviceName: name,
      serviceVersion: name,
      region: name,
      zone: name,
    });
    fc.assert(
      fc.property(record, (each) => {
        expect(decodeBaggage(encodeBaggage(each))).to.deep.equal(each);
      }),
      fuzzBudget(),
    );
  });
});
