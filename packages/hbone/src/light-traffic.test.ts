import { expect } from 'chai';
import type { Carrier } from './light-traffic.ts';
import { LightTraffic } from './light-traffic.ts';

describe('LightTraffic', () => {
  const carrier = (): Carrier => ({ intervalStartMs: -Infinity, intervalBytes: 0, carriesBulk: false });

  /** One carrier speaks once a millisecond. */
  function feed(light: LightTraffic, each: Carrier, fromMs: number, ms: number, bytesPerMs: number): void {
    for (let at = fromMs; at < fromMs + ms; at++) light.onBytes(each, bytesPerMs, at);
  }

  it('is absent where nobody speaks', () => {
    expect(new LightTraffic().isPresent(0)).to.equal(false);
  });

  it('takes for light who has just begun, and no longer when bulk has come of it', () => {
    const light = new LightTraffic();
    const bulk = carrier();
    feed(light, bulk, 0, 90, 100_000);
    expect(light.isPresent(90)).to.equal(true);
    feed(light, bulk, 90, 90, 100_000);
    expect(light.isPresent(180)).to.equal(false);
  });

  it('notices a request beside bulk, and forgets it', () => {
    const light = new LightTraffic();
    const bulk = carrier();
    feed(light, bulk, 0, 200, 100_000);
    const request = carrier();
    light.onBytes(request, 100, 200);
    feed(light, bulk, 200, 90, 100_000);
    expect(light.isPresent(290)).to.equal(true);
    feed(light, bulk, 290, 90, 100_000);
    expect(light.isPresent(380)).to.equal(false);
  });

  it('is there as long as requests go on', () => {
    const light = new LightTraffic();
    const requests = carrier();
    feed(light, requests, 0, 1000, 500);
    expect(light.isPresent(1000)).to.equal(true);
  });

  it('does not take bulk that paused for light', () => {
    const light = new LightTraffic();
    const bulk = carrier();
    feed(light, bulk, 0, 200, 100_000);
    feed(light, bulk, 5000, 20, 100);
    expect(light.isPresent(5020)).to.equal(false);
  });

  it('says of a carrier that it carries bulk, in small steps too, until it has carried little for an interval', () => {
    const light = new LightTraffic();
    const each = carrier();
    feed(light, each, 0, 10, 6000);
    expect(each.carriesBulk).to.equal(false);
    feed(light, each, 10, 10, 6000);
    expect(each.carriesBulk).to.equal(true);
    feed(light, each, 20, 20, 100);
    expect(each.carriesBulk, 'the interval that began with bulk').to.equal(true);
    feed(light, each, 40, 40, 100);
    expect(each.carriesBulk).to.equal(false);
  });
});
