import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isReady, NodeLab } from './node-lab.ts';

const forever = 'trap "exit 0" TERM; while :; do sleep 0.05; done';
const main = (more: object): object => ({
  name: 'main',
  image: 'test/shell',
  command: ['sh', '-c', forever],
  ...more,
});
const maps = '/api/v1/namespaces/default/configmaps';

describe('volumes and probes of a node of the lab', () => {
  let lab: NodeLab;

  before(async () => {
    lab = await NodeLab.start();
    await lab.api.load([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'settings', namespace: 'default' },
        data: { colour: 'white', size: 'big' },
      },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'door', namespace: 'default' },
        stringData: { key: 'sesame' },
      },
    ]);
  });
  after(() => lab[Symbol.asyncDispose]());

  it('mounts what objects hold, and follows their changes', async () => {
    await lab.create(
      'volumes',
      {
        volumes: [
          { name: 'settings', configMap: { name: 'settings' } },
          {
            name: 'all',
            projected: {
              defaultMode: 0o400,
              sources: [
                { secret: { name: 'door', items: [{ key: 'key', path: 'keys/front' }] } },
                { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
              ],
            },
          },
        ],
        containers: [
          main({
            env: [
              { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              { name: 'SIZE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'size' } } },
              { name: 'BOTH', value: '$(NODE) is $(SIZE), $(NOT) $$(NODE)' },
            ],
            volumeMounts: [
              { name: 'settings', mountPath: '/etc/app' },
              { name: 'settings', mountPath: '/data/one', subPath: 'size' },
              { name: 'all', mountPath: '/data/all' },
            ],
          }),
        ],
      },
      { labels: { app: 'teapot' } },
    );
    await lab.until('volumes', isReady);
    const read = (path: string): Promise<string> => lab.exec('volumes', ['cat', path]);
    expect(await read('/etc/app/colour')).to.equal('white');
    expect(await read('/data/one')).to.equal('big');
    expect(await read('/data/all/keys/front')).to.equal('sesame');
    expect(await read('/data/all/labels')).to.equal('app="teapot"');
    expect(await lab.exec('volumes', ['stat', '-L', '-c', '%a', '/data/all/keys/front'])).to.equal('400');
    expect(await lab.exec('volumes', ['sh', '-c', 'echo "$BOTH"'])).to.equal('node-1 is big, $(NOT) $(NODE)');
    await lab.client.request({
      method: 'PATCH',
      path: `${maps}/settings`,
      contentType: 'application/merge-patch+json',
      body: { data: { colour: 'black', size: null } },
    });
    const wait = 'until [ "$(cat /etc/app/colour)" = black ]; do sleep 0.02; done; ls /etc/app';
    expect(await lab.exec('volumes', ['sh', '-c', wait])).to.equal('colour');
  });

  it('waits for an object that is not there yet', async () => {
    await lab.create('waiting', {
      volumes: [{ name: 'late', configMap: { name: 'late' } }],
      containers: [main({ volumeMounts: [{ name: 'late', mountPath: '/late' }] })],
    });
    const failure = 'FailedMount: MountVolume.SetUp failed: configmap "late" not found';
    await lab.untilEvent('waiting', failure);
    await lab.api.load([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late', namespace: 'default' }, data: {} },
    ]);
    await lab.until('waiting', isReady);
  });

  it("gives each pod its service account's token, bound to it", async () => {
    const { metadata } = await lab.create('token', {
      volumes: [
        {
          name: 'other',
          projected: {
            sources: [
              { serviceAccountToken: { path: 'ca', audience: 'istio-ca', expirationSeconds: 43200 } },
            ],
          },
        },
      ],
      containers: [main({ volumeMounts: [{ name: 'other', mountPath: '/var/run/secrets/tokens' }] })],
    });
    await lab.until('token', isReady);
    const account = '/var/run/secrets/kubernetes.io/serviceaccount';
    const claims = async (path: string): Promise<Record<string, unknown>> => {
      const token = await lab.exec('token', ['cat', path]);
      return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
    };
    expect((await claims(`${account}/token`))['kubernetes.io']).to.deep.include({
      namespace: 'default',
      pod: { name: 'token', uid: metadata.uid },
    });
    expect((await claims('/var/run/secrets/tokens/ca'))['aud']).to.deep.equal(['istio-ca']);
    expect(await lab.exec('token', ['cat', `${account}/namespace`])).to.equal('default');
    expect(await lab.exec('token', ['cat', `${account}/ca.crt`])).to.equal(lab.api.caPem.trim());
  });

  it('keeps a hostPath on the node, and reads the machine without writing to it', async () => {
    const volume = { name: 'host', hostPath: { path: '/var/run/thing', type: 'DirectoryOrCreate' } };
    const mounts = { volumeMounts: [{ name: 'host', mountPath: '/host/deep/in' }] };
    const script = `echo here > /host/deep/in/file; touch /usr/was-here || echo refused; ${forever}`;
    await lab.create('files', {
      volumes: [volume],
      containers: [main({ ...mounts, command: ['sh', '-c', script] })],
    });
    await lab.until('files', isReady);
    await lab.exec('files', ['sh', '-c', 'until [ -s /host/deep/in/file ]; do sleep 0.02; done']);
    expect(readFileSync(join(lab.kubelet.hostDirectory, 'run/thing/file'), 'utf8')).to.equal('here\n');
    expect(await lab.exec('files', ['sh', '-c', 'touch /usr/was-here || echo refused'])).to.contain(
      'refused',
    );
  });

  it('probes from the address of the node, and takes a pod out while it fails', async () => {
    const server = `require('http').createServer((q, s) => {
      s.statusCode = require('fs').existsSync('/tmp/sick') ? 500 : 200;
      s.end(q.socket.remoteAddress);
    }).listen(8080, '::')`;
    await lab.create('probed', {
      containers: [
        main({
          command: [process.execPath, '-e', server],
          ports: [{ name: 'web', containerPort: 8080 }],
          startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 30 },
          readinessProbe: { httpGet: { port: 'web', path: '/' }, periodSeconds: 1, failureThreshold: 1 },
        }),
      ],
    });
    await lab.until('probed', isReady);
    await lab.exec('probed', ['touch', '/tmp/sick']);
    await lab.until('probed', (pod) => !isReady(pod));
    await lab.exec('probed', ['rm', '/tmp/sick']);
    const pod = await lab.until('probed', isReady);
    expect(pod.status.containerStatuses![0]!.restartCount).to.equal(0);
    expect(await lab.events('probed')).to.include(
      'Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 500',
    );
  });

  it('starts a container again whose liveness probe fails', async () => {
    await lab.create('stuck', {
      containers: [
        main({
          livenessProbe: {
            exec: { command: ['test', '!', '-e', '/tmp/stuck'] },
            periodSeconds: 1,
            failureThreshold: 1,
          },
        }),
      ],
    });
    await lab.until('stuck', isReady);
    await lab.exec('stuck', ['touch', '/tmp/stuck']);
    await lab.until('stuck', (pod) => pod?.status.containerStatuses?.[0]?.restartCount === 1 && isReady(pod));
  });
});
