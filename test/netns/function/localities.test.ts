import { expect } from 'chai';
import type { LocalService } from '../harness/index.ts';
import { fetchFrom } from './call.ts';
import { useMesh } from './use-mesh.ts';

const PREFERRING = 'prefers-near.default.svc.cluster.local';
const STRICT = 'only-near.default.svc.cluster.local';
const VIP = { preferring: '10.77.0.201', strict: '10.77.0.202' };
/** Calls in which a far endpoint would have been met, but for one time in a million, if distance did not count. */
const CALLS = 20;

describe('endpoints near and far', () => {
  const services = { [`default/${PREFERRING}`]: { 80: 8080 }, [`default/${STRICT}`]: { 80: 8080 } };
  const at = (region: string, zone: string) => ({ region, zone, subzone: '' });
  const mesh = useMesh(
    {
      pods: {
        client: { workload: { locality: at('north', 'n1') } },
        near: { workload: { services, locality: at('north', 'n1') } },
        far: { workload: { services, locality: at('south', 's1') } },
      },
      services: () => [
        service(PREFERRING, VIP.preferring, 'Failover'),
        service(STRICT, VIP.strict, 'Strict'),
      ],
    },
    ({ pods }) =>
      Promise.all(
        ['near', 'far'].map((name) => pods[name]!.serve('http-constant', { port: 8080, body: name })),
      ),
  );

  /** Who answers at a virtual IP. */
  async function answers(vip: string): Promise<string[]> {
    const met = new Set<string>();
    for (let call = 0; call < CALLS; call += 1)
      met.add((await fetchFrom(mesh().pod('client').netns, vip, 80)).body);
    return [...met].toSorted();
  }

  it('the near one is preferred where the service says so', async () => {
    expect(await answers(VIP.preferring)).to.deep.equal(['near']);
    expect(await answers(VIP.strict)).to.deep.equal(['near']);
  });

  it('the far one serves while the near one is not healthy, but not where the service is strict', async () => {
    await mesh().applied(() => mesh().setWorkload('near', { status: 'Unhealthy' }));
    expect(await answers(VIP.preferring)).to.deep.equal(['far']);
    const refused = await fetchFrom(mesh().pod('client').netns, VIP.strict, 80).catch(
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(Error);
    await mesh().pod('client').waitForAccess({ reason: 'no-endpoint-in-scope', level: 'warn' });
    await mesh().applied(() => mesh().setWorkload('near'));
    expect(await answers(VIP.preferring)).to.deep.equal(['near']);
    expect(await answers(VIP.strict)).to.deep.equal(['near']);
  });
});

function service(hostname: string, vip: string, mode: 'Failover' | 'Strict'): LocalService {
  return {
    name: hostname.split('.')[0]!,
    namespace: 'default',
    hostname,
    vips: [`/${vip}`],
    ports: { 80: 8080 },
    loadBalancer: { mode, routingPreferences: ['Region', 'Zone'], healthPolicy: 'OnlyHealthy' },
  };
}
