import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LabProcess } from '@ambient/testkit/lab';
import { expect } from 'chai';
import type { LocalService } from '../harness/index.ts';
import { SharedMesh } from '../shared/shared-mesh.ts';
import type { Question, Reply } from './dns-client.ts';

const CLIENT = fileURLToPath(new URL('dns-client.ts', import.meta.url));
const SERVER = fileURLToPath(new URL('dns-server.ts', import.meta.url));

const service = (name: string, hostname: string, vips: readonly string[]): LocalService => ({
  name,
  namespace: 'default',
  hostname,
  vips: vips.map((ip) => `/${ip}`),
  ports: { 80: 8080 },
});

describe('DNS of a captured pod', () => {
  let mesh: SharedMesh;
  let server: LabProcess;
  let directory: string;

  before(async function () {
    this.timeout(60_000);
    directory = mkdtempSync(join(tmpdir(), 'dns-test-'));
    const resolvConf = join(directory, 'resolv.conf');
    // Members of a network have its addresses in their order: the server is the second.
    writeFileSync(resolvConf, 'nameserver 10.77.0.2\nnameserver fd77::2\n');
    mesh = await SharedMesh.start(
      { east: ['client'], west: ['names'] },
      {
        ISTIO_META_DNS_CAPTURE: 'true',
        AMBIENT_RESOLV_CONF: resolvConf,
        RUST_LOG: 'info,dns=debug',
        ZTUNNEL_WORKER_THREADS: '1',
      },
      {
        dns: true,
        services: [
          service('web', 'web.default.svc.cluster.local', ['10.96.0.1', 'fd96::1']),
          service('wild', '*.wild.example', ['240.240.0.1']),
        ],
      },
    );
    const { netns } = mesh.pod('names');
    expect(netns.addresses).to.deep.equal(['10.77.0.2', 'fd77::2']);
    server = await netns.spawn([process.execPath, '--disable-warning=ExperimentalWarning', SERVER], {
      name: 'names',
    });
    await server.waitForLine(/^ready$/);
  });
  after(async () => {
    await mesh.destroy();
    rmSync(directory, { recursive: true });
  });

  /** Asks a server that does not exist: whoever answers has taken the question on its way. */
  const ask = async (...questions: (Partial<Question> & Pick<Question, 'name'>)[]): Promise<Reply[]> => {
    const nobody = { server: '10.77.0.99', protocol: 'udp', type: 'A' } as const;
    const all = questions.map((question) => ({ ...nobody, ...question }));
    const argv = [process.execPath, '--disable-warning=ExperimentalWarning', CLIENT, JSON.stringify(all)];
    return JSON.parse(await mesh.pod('client').netns.must(argv)) as Reply[];
  };

  const ways = [
    { server: '10.77.0.99', protocol: 'udp' },
    { server: '10.77.0.99', protocol: 'tcp' },
    { server: 'fd77::99', protocol: 'udp' },
    { server: 'fd77::99', protocol: 'tcp' },
  ] as const;

  for (const way of ways)
    it(`is answered from the mesh, and forwarded, asked of ${way.server} by ${way.protocol}`, async () => {
      const [a, aaaa, wild, nothing, up, srv, text, gone] = await ask(
        { ...way, name: 'web' },
        { ...way, name: 'web.default.svc.cluster.local', type: 'AAAA' },
        { ...way, name: 'a.b.wild.example' },
        { ...way, name: 'a.b.wild.example', type: 'AAAA' },
        { ...way, name: 'up.example' },
        { ...way, name: 'up.example', type: 'SRV' },
        { ...way, name: 'up.example', type: 'TXT' },
        { ...way, name: 'gone.example' },
      );
      expect(a).to.deep.include({ rcode: 'NOERROR', records: ['web A "10.96.0.1"'], ttl: 30 });
      expect(aaaa!.records).to.deep.equal(['web.default.svc.cluster.local AAAA "fd96::1"']);
      expect(wild!.records).to.deep.equal(['a.b.wild.example A "240.240.0.1"']);
      expect(nothing).to.deep.include({ rcode: 'NOERROR', records: [] });
      expect(up).to.deep.include({ records: ['up.example A "192.0.2.1"'], ttl: 3600 });
      expect(srv!.records![0]).to.contain('sip.up.example');
      expect(text!.rcode).to.equal('NOERROR');
      expect(gone!.rcode).to.equal('NXDOMAIN');
    });

  it('is forwarded from the pod itself, whose address the server sees', async () => {
    await ask({ name: 'seen.example' });
    await server.waitForLine(/^asked seen\.example A udp by ::ffff:10\.77\.0\.1$/);
  });

  it('is asked again by TCP where upstream cuts it off, and told to the client', async () => {
    const [udp, tcp] = await ask(
      { name: 'big.example', type: 'TXT' },
      { name: 'big.example', type: 'TXT', protocol: 'tcp' },
    );
    expect(udp).to.deep.include({ truncated: true, records: [] });
    expect(tcp!.records).to.have.length(1);
  });

  it('is answered from the past while upstream is down', async () => {
    await ask({ name: 'up.example' });
    server.killNow();
    await server.exited;
    const [known, unknown, meshed] = await ask(
      { name: 'up.example' },
      { name: 'new.example' },
      { name: 'web' },
    );
    expect(known).to.deep.include({ records: ['up.example A "192.0.2.1"'], ttl: 30 });
    expect(unknown!.rcode).to.equal('SERVFAIL');
    expect(meshed!.records).to.deep.equal(['web A "10.96.0.1"']);
  });
});
