import { expect } from 'chai';
import type { LogEntry, Pod } from '../harness/index.ts';
import { admin, Call, fetchFrom, reaches } from './call.ts';
import { enforce, useMesh } from './use-mesh.ts';

const PORT = 8080;
const ECHO_PORT = 7000;
const VIP = '10.77.0.201';
const HOSTNAME = 'web.shop.svc.cluster.local';
const BODY_BYTES = 5000;

/** Labels of a series by name. */
type Labels = Readonly<Record<string, string>>;

/** Series of one metric, as the proxy's page has them now. */
async function series(pod: Pod, metric: string): Promise<{ labels: Labels; value: number }[]> {
  const { body } = await fetchFrom(pod.netns, '127.0.0.1', 15_020, { path: '/stats/prometheus' });
  return body
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`))
    .map((line) => ({
      labels: Object.fromEntries(
        Array.from(line.matchAll(/([a-z_]+)="([^"]*)"/g), (found) => [found[1]!, found[2]!]),
      ),
      value: Number(line.slice(line.lastIndexOf(' ') + 1)),
    }));
}

describe('what a proxy tells of its traffic', () => {
  const mesh = useMesh(
    {
      pods: {
        client: {
          workload: { canonicalName: 'browser', canonicalRevision: 'v7', workloadName: 'browser-set' },
        },
        server: {
          workload: {
            namespace: 'shop',
            canonicalName: 'web',
            canonicalRevision: 'v1',
            workloadName: 'web-set',
            services: { [`shop/${HOSTNAME}`]: { 80: PORT } },
          },
        },
        plain: { proxy: false },
        laconic: { env: { LOG_FORMAT: 'plain' } },
      },
      services: () => [
        { name: 'web', namespace: 'shop', hostname: HOSTNAME, vips: [`/${VIP}`], ports: { 80: PORT } },
      ],
    },
    ({ pods }) =>
      Promise.all([
        pods['server']!.serve('http-constant', { port: PORT, bytes: BODY_BYTES }),
        pods['server']!.serve('echo', { port: ECHO_PORT }),
      ]),
  );
  const parties = {
    'src.workload': 'client',
    'src.namespace': 'default',
    'src.identity': 'spiffe://cluster.local/ns/default/sa/client',
    'src.cluster': 'Kubernetes',
    'dst.service': HOSTNAME,
    'dst.workload': 'server',
    'dst.namespace': 'shop',
    'dst.identity': 'spiffe://cluster.local/ns/shop/sa/server',
    'dst.cluster': 'Kubernetes',
  };
  /** Without what differs from call to call, whose form is checked. */
  function fixedFields(entry: LogEntry, clientIp: string): LogEntry {
    const { time, duration, 'src.addr': source, ...rest } = entry;
    expect(time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    expect(duration).to.match(/^\d+ms$/);
    expect(source)
      .to.match(/^10\.77\.0\.\d+:\d+$/)
      .and.to.contain(`${clientIp}:`);
    return rest;
  }
  let sent = 0;
  let received = 0;

  it('the log of both sides has every field of a connection, and no other', async () => {
    const { client, server } = mesh().pods;
    expect((await fetchFrom(client!.netns, VIP, 80)).body).to.have.length(BODY_BYTES);
    const line = {
      level: 'info',
      scope: 'access',
      message: 'connection complete',
      ...parties,
      'dst.addr': `${server!.ipv4}:15008`,
      'dst.hbone_addr': `${server!.ipv4}:${PORT}`,
    };
    const outbound = await client!.waitForAccess({ direction: 'outbound' });
    sent = Number(outbound['bytes_sent']);
    received = Number(outbound['bytes_recv']);
    expect(received).to.be.greaterThan(BODY_BYTES);
    expect(sent).to.be.greaterThan(0).and.lessThan(BODY_BYTES);
    expect(fixedFields(outbound, client!.ipv4)).to.deep.equal({
      ...line,
      direction: 'outbound',
      bytes_sent: sent,
      bytes_recv: received,
    });
    const inbound = await server!.waitForAccess({ direction: 'inbound' });
    expect(fixedFields(inbound, client!.ipv4)).to.deep.equal({
      ...line,
      direction: 'inbound',
      bytes_sent: received,
      bytes_recv: sent,
    });
  });

  it('the metrics of both sides count it under the same labels', async () => {
    const { client, server } = mesh().pods;
    const labels = {
      source_workload: 'browser-set',
      source_canonical_service: 'browser',
      source_canonical_revision: 'v7',
      source_workload_namespace: 'default',
      source_principal: parties['src.identity'],
      source_app: 'browser',
      source_version: 'v7',
      source_cluster: 'Kubernetes',
      destination_workload: 'web-set',
      destination_canonical_service: 'web',
      destination_canonical_revision: 'v1',
      destination_workload_namespace: 'shop',
      destination_principal: parties['dst.identity'],
      destination_app: 'web',
      destination_version: 'v1',
      destination_cluster: 'Kubernetes',
      destination_service: HOSTNAME,
      destination_service_namespace: 'shop',
      destination_service_name: 'web',
      request_protocol: 'tcp',
      response_flags: '-',
      connection_security_policy: 'mutual_tls',
      source_region: 'unknown',
      source_zone: 'unknown',
      destination_region: 'unknown',
      destination_zone: 'unknown',
    };
    for (const [pod, reporter] of [
      [client!, 'source'],
      [server!, 'destination'],
    ] as const) {
      const expected = (value: number): unknown => [{ labels: { reporter, ...labels }, value }];
      expect(await series(pod, 'istio_tcp_connections_opened_total')).to.deep.equal(expected(1));
      expect(await series(pod, 'istio_tcp_connections_closed_total')).to.deep.equal(expected(1));
      // `received` is client to server, whoever tells it.
      expect(await series(pod, 'istio_tcp_received_bytes_total')).to.deep.equal(expected(sent));
      expect(await series(pod, 'istio_tcp_sent_bytes_total')).to.deep.equal(expected(received));
      expect(await series(pod, 'istio_tcp_connections_failed_total')).to.deep.equal([]);
    }
  });

  it('connections are counted while they are open', async () => {
    const { client, server } = mesh().pods;
    const sides = [
      [client!, 'source'],
      [server!, 'destination'],
    ] as const;
    using open = new Call(client!.netns, server!.ipv4, ECHO_PORT);
    expect(await open.echo('open')).to.equal(true);
    for (const [pod, reporter] of sides)
      expect(await series(pod, 'istio_tcp_sockets_open')).to.deep.equal([{ labels: { reporter }, value: 1 }]);
    await open.finish();
    for (const [pod, reporter] of sides) {
      await pod.waitForAccess({ 'dst.hbone_addr': `${server!.ipv4}:${ECHO_PORT}` });
      expect(await series(pod, 'istio_tcp_sockets_open')).to.deep.equal([{ labels: { reporter }, value: 0 }]);
    }
  });

  it('a denied connection is logged as an error and counted with the flag DENY, by both sides', async () => {
    const { client, server } = mesh().pods;
    await enforce(mesh(), [
      {
        name: 'nobody',
        namespace: 'shop',
        scope: 'Namespace',
        action: 'Deny',
        rules: [[[{ destinationPorts: [ECHO_PORT] }]]],
      },
    ]);
    expect(await reaches(client!.netns, server!.ipv4, ECHO_PORT)).to.equal(false);
    const inbound = await server!.waitForAccess({ direction: 'inbound', reason: 'policy-denied' });
    expect(inbound).to.include({
      level: 'error',
      message: 'connection complete',
      bytes_sent: 0,
      bytes_recv: 0,
    });
    expect(inbound['error']).to.contain('shop/nobody');
    const outbound = await client!.waitForAccess({ direction: 'outbound', level: 'error' });
    expect(outbound).to.include({ reason: 'refused-401', message: 'connection complete' });
    for (const entry of [inbound, outbound])
      expect(entry).to.include({
        'src.identity': parties['src.identity'],
        'dst.identity': parties['dst.identity'],
        'dst.hbone_addr': `${server!.ipv4}:${ECHO_PORT}`,
      });
    for (const pod of [client!, server!])
      for (const metric of ['istio_tcp_connections_closed_total', 'istio_tcp_connections_failed_total']) {
        const denied = (await series(pod, metric)).filter(
          ({ labels }) => labels['response_flags'] === 'DENY',
        );
        expect(
          denied.map(({ value }) => value),
          `${pod.name} ${metric}`,
        ).to.deep.equal([1]);
      }
    await enforce(mesh(), []);
  });

  it('a connection in plaintext has no identities, and its policy is unknown', async () => {
    const { plain, server } = mesh().pods;
    await fetchFrom(plain!.netns, server!.ipv4, PORT);
    const address = new RegExp(`^${plain!.ipv4.replaceAll('.', '\\.')}:`);
    const entry = await server!.waitForAccess({ 'src.addr': address });
    expect(fixedFields(entry, plain!.ipv4)).to.have.all.keys(
      'level',
      'scope',
      'message',
      'dst.addr',
      'dst.service',
      'dst.workload',
      'dst.namespace',
      'direction',
      'bytes_sent',
      'bytes_recv',
    );
    expect(entry).to.include({ 'dst.addr': `${server!.ipv4}:${PORT}`, direction: 'inbound' });
    const opened = await series(server!, 'istio_tcp_connections_opened_total');
    const labels = opened.map((one) => one.labels).find(({ source_workload: name }) => name === 'unknown');
    expect(labels).to.include({
      source_principal: 'unknown',
      destination_principal: 'unknown',
      connection_security_policy: 'unknown',
    });
  });

  it('in plain format a line has tabs between its parts, and quotes around text', async () => {
    const { laconic, server } = mesh().pods;
    await fetchFrom(laconic!.netns, server!.ipv4, PORT);
    const line = await laconic!.proxy.waitForLine(/connection complete/);
    const [time, level, scope, message, fields] = line.split('\t');
    expect(time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    expect([level, scope, message]).to.deep.equal(['info', 'access', 'connection complete']);
    const ip = (pod: Pod): string => pod.ipv4.replaceAll('.', '\\.');
    expect(fields, fields).to.match(
      new RegExp(
        [
          `^src\\.addr=${ip(laconic!)}:\\d+ src\\.workload="laconic" src\\.namespace="default"`,
          'src\\.identity="spiffe://cluster\\.local/ns/default/sa/laconic" src\\.cluster="Kubernetes"',
          `dst\\.addr=${ip(server!)}:15008 dst\\.hbone_addr=${ip(server!)}:${PORT}`,
          '(dst\\.service="[^"]+" )?dst\\.workload="server" dst\\.namespace="shop"',
          'dst\\.identity="spiffe://cluster\\.local/ns/shop/sa/server" dst\\.cluster="Kubernetes"',
          'direction="outbound" bytes_sent=\\d+ bytes_recv=\\d+ duration="\\d+ms"$',
        ].join(' '),
      ),
    );
  });

  it('/config_dump has the keys that istioctl reads, and no private key', async () => {
    const { client } = mesh().pods;
    const answer = await admin(client!, 'GET', '/config_dump');
    const dump = answer.json() as Record<string, unknown>;
    expect(dump).to.include.all.keys(
      'workloads',
      'services',
      'policies',
      'stagedServices',
      'staticConfig',
      'version',
      'config',
      'certificates',
      'workloadState',
    );
    expect((dump['workloads'] as { name: string }[]).map(({ name }) => name).toSorted()).to.deep.equal([
      'client',
      'laconic',
      'server',
    ]);
    const [certificate] = dump['certificates'] as {
      identity: string;
      certChain: object[];
      rootCerts: object[];
    }[];
    expect(certificate!.identity).to.equal(parties['src.identity']);
    for (const one of [...certificate!.certChain, ...certificate!.rootCerts])
      expect(one).to.have.all.keys('pem', 'serialNumber', 'validFrom', 'expirationTime');
    expect(answer.body).not.to.contain('PRIVATE KEY');
    const pems = answer.body.matchAll(/"pem": "([^"]*)"/g);
    for (const [, pem] of pems) expect(Buffer.from(pem!, 'base64').toString()).not.to.contain('PRIVATE');
  });

  it('/logging changes the level of a running proxy, and back', async () => {
    const { client, server } = mesh().pods;
    const opened = (): number =>
      client!.log().filter(({ message }) => message === 'connection opened').length;
    const callAndWait = async (): Promise<void> => {
      const complete = client!.log().filter(({ message }) => message === 'connection complete').length;
      await reaches(client!.netns, server!.ipv4, ECHO_PORT);
      await client!.proxy.waitFor(
        () =>
          client!.log().filter(({ message }) => message === 'connection complete').length > complete ||
          undefined,
        'line of the call',
      );
    };
    await callAndWait();
    expect(opened()).to.equal(0);
    const answer = await admin(client!, 'POST', '/logging?level=access=debug');
    expect(answer).to.include({ status: 200 });
    expect(answer.body).to.contain('access=debug');
    await admin(client!, 'GET', '/config_dump'); // workers that answer this have heard of the level
    await callAndWait();
    expect(opened()).to.equal(1);
    expect((await admin(client!, 'POST', '/logging?level=access=loud')).status).to.equal(400);
    expect((await admin(client!, 'POST', '/logging?reset')).status).to.equal(200);
    await admin(client!, 'GET', '/config_dump');
    await callAndWait();
    expect(opened()).to.equal(1);
  });

  it('one connection has one trace context in the logs of both ends, where they tell of opened ones', async () => {
    const { client, server } = mesh().pods;
    const opened = { message: 'connection opened', traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/ };
    for (const pod of [client!, server!]) {
      await admin(pod, 'POST', '/logging?level=access=debug');
      await admin(pod, 'GET', '/config_dump'); // workers that answer this have heard of the level
    }
    await reaches(client!.netns, server!.ipv4, ECHO_PORT);
    const served = await server!.waitForAccess({ ...opened, direction: 'inbound' });
    const trace = served['traceparent'] as string;
    await client!.waitForAccess({ ...opened, direction: 'outbound', traceparent: trace });
    for (const pod of [client!, server!]) await admin(pod, 'POST', '/logging?reset');
  });

  it('a ready proxy says so', async () => {
    const { client } = mesh().pods;
    const answer = await fetchFrom(client!.netns, '127.0.0.1', 15_021, { path: '/healthz/ready' });
    expect(answer.status).to.equal(200);
    expect(answer.body.trim()).to.equal('ready');
  });
});
