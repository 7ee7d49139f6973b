// Tokens of service accounts that end while a client goes on: as the kubelet renews them in the pods of the control plane and of
// the node agent, whose clients are configured alike.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { KubeClient, KubeConnection } from '@ambient/kube';
import { LabApi } from '@ambient/lab';
import { ManualClock } from '@ambient/runtime';

/** The shortest life that an API server gives a token. */
const LIFE_SECONDS = 600;
const account = '/api/v1/namespaces/default/serviceaccounts';

describe('a client with short tokens', () => {
  const clock = new ManualClock();
  const folder = mkdtempSync(join(tmpdir(), 'ambient-short-tokens-'));
  const tokenFile = join(folder, 'token');
  let lab: LabApi;
  let admin: KubeConnection;

  before(async () => {
    lab = await LabApi.start({ host: '127.0.0.1', port: 0, clock, crdFiles: [] });
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, lab.kubeconfig, { mode: 0o600 });
    admin = KubeConnection.fromFile(kubeconfig);
    const metadata = { name: 'agent', namespace: 'default' };
    const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
    await new KubeClient(admin).request({ method: 'POST', path: account, body });
  });
  after(async () => {
    admin?.[Symbol.dispose]();
    await lab?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function renew(): Promise<void> {
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: LIFE_SECONDS },
    };
    const path = `${account}/agent/token`;
    const { status } = await new KubeClient(admin).request<{ status: { token: string } }>({
      method: 'POST',
      path,
      body,
    });
    writeFileSync(tokenFile, status.token);
  }

  it('goes on through one end after the other, and says what is wrong when nobody renews', async () => {
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: 'c', server: lab.url, caData: Buffer.from(lab.caPem).toString('base64'), skipTLSVerify: false },
      { name: 'u', authProvider: { name: 'tokenFile', config: { tokenFile } } },
    );
    using connection = new KubeConnection(config);
    const client = new KubeClient(connection);
    for (let turn = 0; turn < 3; turn++) {
      await renew();
      expect(await client.request({ path: '/api/v1/namespaces' })).to.have.property('kind', 'NamespaceList');
      clock.advance((LIFE_SECONDS + 1) * 1000);
    }
    const error = await client.request({ path: '/api/v1/namespaces' }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.include({ status: 401 });
  });
});
