import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NetnsLab } from '@ambient/testkit/lab';
import { expect } from 'chai';
import { reaches } from '../function/call.ts';
import { renderLocalMesh } from '../harness/index.ts';
import type { Reply } from './dns-client.ts';

const CLIENT = fileURLToPath(new URL('dns-client.ts', import.meta.url));
const ZTUNNEL = fileURLToPath(new URL('../../../packages/ztunnel/src/main.ts', import.meta.url));
const node = [process.execPath, '--disable-warning=ExperimentalWarning'];

describe('ztunnel without the proxy (ENABLE_PROXY=false)', () => {
  let lab: NetnsLab;
  beforeEach(() => {
    lab = NetnsLab.create();
  });
  afterEach(() => lab.destroy());

  it('answers DNS, carries nothing, and needs no certificate', async function () {
    this.timeout(30_000);
    const pod = await lab.namespace('pod');
    const mesh = join(lab.directory, 'mesh.yaml');
    const client = {
      uid: 'Kubernetes//Pod/default/client',
      name: 'client',
      namespace: 'default',
      serviceAccount: 'client',
      workloadIps: ['10.0.0.1'],
      protocol: 'HBONE',
      node: 'n1',
      network: '',
      services: {},
    } as const;
    const web = {
      name: 'web',
      namespace: 'default',
      hostname: 'web.default.svc.cluster.local',
      vips: ['/10.96.0.1'],
      ports: { 80: 8080 },
    };
    writeFileSync(mesh, renderLocalMesh({ workloads: [client], services: [web], policies: [] }));
    const ztunnel = await pod.spawn([...node, ZTUNNEL], {
      name: 'ztunnel',
      env: {
        ENABLE_PROXY: 'false',
        PROXY_MODE: 'dedicated',
        PROXY_WORKLOAD_INFO: 'default/client/client',
        NODE_NAME: 'n1',
        XDS_ADDRESS: '',
        LOCAL_XDS_PATH: mesh,
        ISTIO_META_DNS_PROXY_ADDR: '127.0.0.1:53',
        CA_ADDRESS: 'https://127.0.0.1:9',
        CA_ROOT_CA: 'SYSTEM',
        LOG_FORMAT: 'json',
        RUST_LOG: 'debug',
      },
    });
    await ztunnel.waitForLine(/"message":"ready"/);
    await ztunnel.waitForLine(/"message":"serving","dns":53/);

    const question = { server: '127.0.0.1', protocol: 'udp', type: 'A', name: web.hostname };
    const said = await pod.must([...node, CLIENT, JSON.stringify([question])]);
    const [reply] = JSON.parse(said) as Reply[];
    expect(JSON.stringify(reply)).to.contain('10.96.0.1');

    for (const port of [15_001, 15_006, 15_008])
      expect(await reaches(pod, '127.0.0.1', port), `port ${port}`).to.equal(false);
    expect(ztunnel.lines.filter((line) => line.includes('certificate'))).to.deep.equal([]);
    ztunnel.signal('SIGTERM');
    expect((await ztunnel.exited).code).to.equal(0);
  });
});
