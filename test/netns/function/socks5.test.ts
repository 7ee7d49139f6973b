import { once } from 'node:events';
import { connectFrom } from '@ambient/testkit/hostile-peer';
import { expect } from 'chai';
import { reaches } from './call.ts';
import { useMesh } from './use-mesh.ts';

const ECHO_PORT = 7000;
const SOCKS_PORT = 15_080;
const HOSTNAME = 'echo.default.svc.cluster.local';
const VIP = '10.77.0.203';
const DEADLINE_MS = 10_000;
/** The method "no authentication", then success. */
const SERVED = '0500' + '05000001000000000000';

describe('SOCKS5', () => {
  const mesh = useMesh(
    {
      pods: {
        // Not captured: what goes over HBONE does because the application asked for it.
        client: {
          captured: false,
          env: { UNSTABLE_ENABLE_SOCKS5: 'true', ISTIO_META_DNS_CAPTURE: 'true' },
        },
        server: { workload: { services: { [`default/${HOSTNAME}`]: { 80: ECHO_PORT } } } },
      },
      services: () => [
        {
          name: 'echo',
          namespace: 'default',
          hostname: HOSTNAME,
          vips: [`/${VIP}`],
          ports: { 80: ECHO_PORT },
        },
      ],
    },
    ({ pods }) => pods['server']!.serve('echo', { port: ECHO_PORT }),
  );

  /** Has the client's proxy connect, and sends a text behind the request. @returns what came back */
  async function asks(address: string, text: string): Promise<string> {
    const socket = connectFrom(mesh().pod('client').netns, '127.0.0.1', SOCKS_PORT);
    try {
      let answer = '';
      socket.setEncoding('hex').on('data', (part: string) => (answer += part));
      socket.end(Buffer.concat([Buffer.from(`050100050100${address}`, 'hex'), Buffer.from(text)]));
      await once(socket, 'end', { signal: AbortSignal.timeout(DEADLINE_MS) });
      return answer;
    } finally {
      socket.destroy();
    }
  }

  it('an application that asks for an address is carried over HBONE', async () => {
    const { client, server } = mesh().pods;
    const ip = Buffer.from(server!.ipv4.split('.').map(Number)).toString('hex');
    expect(await asks(`01${ip}${portHex(ECHO_PORT)}`, 'to an address')).equal(SERVED + hex('to an address'));
    const sent = await client!.waitForAccess({ direction: 'outbound', 'dst.addr': `${server!.ipv4}:15008` });
    expect(sent).to.include({ message: 'connection complete', 'dst.workload': 'server' });
    expect(sent['dst.identity']).to.be.a('string');
  });

  it('a hostname is that of a service of the mesh', async () => {
    const { client } = mesh().pods;
    const name = HOSTNAME.length.toString(16).padStart(2, '0') + hex(HOSTNAME);
    expect(await asks(`03${name}${portHex(80)}`, 'by name')).equal(SERVED + hex('by name'));
    await client!.waitForAccess({ direction: 'outbound', 'dst.service': HOSTNAME });
  });

  it('from elsewhere, and where it is not asked for, nobody listens there', async () => {
    const { client, server } = mesh().pods;
    expect(await reaches(server!.netns, client!.ipv4, SOCKS_PORT)).equal(false);
    expect(await reaches(server!.netns, '127.0.0.1', SOCKS_PORT)).equal(false);
  });
});

const hex = (text: string): string => Buffer.from(text).toString('hex');
const portHex = (port: number): string => port.toString(16).padStart(4, '0');
