import { expect } from 'chai';
import { waitThroughFailures } from '@ambient/testkit/lab';
import { MESHED, PLAIN, service } from '../harness/applications.ts';
import { evaluate } from '../harness/ask.ts';
import type { ClusterRun } from '../harness/cluster-run.ts';
import { apply, get } from '../harness/command.ts';
import { podsOf } from '../harness/pods.ts';

const KNOWN_TO_THE_MESH = 'prices.ambient-test.example';

function lookup(namespace: string, name: string): Promise<readonly string[]> {
  const call = `await import('node:dns/promises').then(({ lookup }) => lookup(${JSON.stringify(name)}, { all: true }))`;
  return evaluate<readonly string[]>(
    namespace,
    'client',
    `(${call}.catch((error) => [{ address: error.code }])).map(({ address }) => address)`,
  );
}

export function dns(_cluster: ClusterRun): void {
  describe('DNS', () => {
    it('tells the address of a Service by its short and long names', async () => {
      const { spec } = await get<{ spec: { clusterIP: string } }>([
        'service',
        'server',
        '--namespace',
        MESHED,
      ]);
      for (const name of ['server', `server.${MESHED}`, `server.${MESHED}.svc.cluster.local`])
        expect(await lookup(MESHED, name), name).to.deep.equal([spec.clusterIP]);
    });

    it('tells the addresses of the pods of a headless Service', async () => {
      await apply(
        service(
          MESHED,
          'server-pods',
          { http: [8080, 8080] },
          { clusterIP: 'None', selector: { app: 'server' } },
        ),
      );
      const ips = (await podsOf(MESHED, 'app=server')).map(({ status }) => status.podIP!);
      const found = await waitThroughFailures(async () => {
        const addresses = await lookup(MESHED, `server-pods.${MESHED}`);
        return addresses.length === ips.length ? addresses : undefined;
      }, 'both addresses');
      expect(found).to.have.members(ips);
    });

    it('knows names that only the mesh knows, in pods of the mesh', async () => {
      await apply({
        apiVersion: 'networking.istio.io/v1',
        kind: 'ServiceEntry',
        metadata: { name: 'prices', namespace: MESHED },
        spec: {
          hosts: [KNOWN_TO_THE_MESH],
          addresses: ['198.51.100.7'],
          ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
          resolution: 'STATIC',
          location: 'MESH_INTERNAL',
          endpoints: (await podsOf(MESHED, 'app=server')).map(({ status }) => ({
            address: status.podIP,
            ports: { http: 8080 },
          })),
        },
      });
      const found = await waitThroughFailures(async () => {
        const addresses = await lookup(MESHED, KNOWN_TO_THE_MESH);
        return addresses[0] === '198.51.100.7' ? addresses : undefined;
      }, 'an address');
      expect(found).to.deep.equal(['198.51.100.7']);
      expect((await lookup(PLAIN, KNOWN_TO_THE_MESH))[0]).to.match(/^E/);
    });

    it("passes on what the cluster's DNS says of other names", async () => {
      expect(await lookup(MESHED, `nobody.${MESHED}.svc.cluster.local`)).to.deep.equal(['ENOTFOUND']);
    });
  });
}
