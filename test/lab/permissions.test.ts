// The control plane with the permissions of its chart and no others. Only a real API server, which KUBECONFIG names (npm run
// test:cluster), asks for permissions: the lab lets everybody do everything.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';

import type { Condition } from '@ambient/kube';
import { waitFor } from '@ambient/testkit/lab';
import { runControlPlane } from './harness/run-control-plane.ts';
import { pathOf, TestApi } from './harness/test-api.ts';
import type { Manifest } from './harness/test-api.ts';
import { TestObjects } from './harness/test-objects.ts';

const namespace = `permissions-${process.pid}`;
const account: Manifest = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: `istiod-${process.pid}`, namespace: 'istio-system' },
};
const validator = 'istiod-default-validator';

/** The roles of the chart for this account, as helm would print them with the chart's own values. */
function roles(): Manifest[] {
  const values: Readonly<Record<string, string>> = {
    'include "base.clusterName" .': `istiod-${process.pid}-istio-system`,
    'include "base.validatorName" .': validator,
    '.Values.serviceAccount.name': account.metadata.name,
    '.Release.Namespace': 'istio-system',
    'if not .Values.revision': '',
    end: '',
  };
  return ['clusterrole', 'role'].flatMap((name) => {
    const file = new URL(`../../charts/base/templates/${name}.yaml`, import.meta.url);
    const text = readFileSync(file, 'utf8')
      // Labels, and rules that the chart's own values ask for.
      .replace(/^ *(labels:\n *)?\{\{-.*\}\}\n/gm, '')
      .replace(/\{\{ *(.*?) *\}\}/g, (all, expression: string) => values[expression] ?? all);
    expect(text, `${name}: what this test cannot print`).not.to.contain('{{');
    return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  });
}

const policy: Manifest = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'probe', namespace },
  spec: { rules: [{}] },
};
const machine: Manifest = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'WorkloadEntry',
  metadata: { name: 'vm', namespace, labels: { 'istio.io/use-waypoint': 'w' } } as Manifest['metadata'],
  spec: { address: '192.0.2.7' },
};
const entry: Manifest = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'ServiceEntry',
  metadata: { name: 'host', namespace, labels: { 'istio.io/use-waypoint': 'w' } } as Manifest['metadata'],
  spec: { hosts: ['host.example.com'], ports: [{ number: 80, name: 'http' }], resolution: 'DNS' },
};
const service: Manifest = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace, labels: { 'istio.io/use-waypoint': 'w' } } as Manifest['metadata'],
  spec: { ports: [{ port: 80 }] },
};
const route: Manifest = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'web', namespace },
  spec: { parentRefs: [{ group: '', kind: 'Service', name: 'web' }] },
};
const roots: Manifest = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'istio-ca-root-cert', namespace },
};
const webhook: Manifest = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: validator },
  webhooks: [
    {
      name: 'validation.istio.io',
      admissionReviewVersions: ['v1'],
      clientConfig: { url: 'https://localhost:1/validate' },
      failurePolicy: 'Ignore',
      sideEffects: 'None',
      rules: [],
    },
  ],
};

if ((process.env['KUBECONFIG'] ?? '') !== '')
  describe('the permissions of the chart', function () {
    this.timeout(60_000);
    let api: TestApi;
    let folder: string;
    let objects: TestObjects;

    before(async () => {
      api = await TestApi.start();
      folder = await mkdtemp(join(tmpdir(), 'ambient-permissions-'));
      objects = new TestObjects(api);
      await objects.createNamespace(namespace);
      for (const object of [account, ...roles(), service, policy, machine, entry, route, webhook])
        await objects.create(object);
    });

    after(async () => {
      await objects[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    /** A kubeconfig of the account, for the server of that of the tests. */
    async function kubeconfigOfAccount(): Promise<string> {
      const { status } = await api.request<{ status: { token: string } }>({
        method: 'POST',
        path: `${pathOf(account)}/token`,
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { expirationSeconds: 3600 },
        },
      });
      const config = new KubeConfig();
      config.loadFromFile(api.kubeconfig);
      const cluster = config.getCurrentCluster()!;
      config.loadFromClusterAndUser(cluster, { name: 'istiod', token: status.token });
      const file = join(folder, 'kubeconfig');
      await writeFile(file, config.exportConfig(), { mode: 0o600 });
      return file;
    }

    const judged = (object: Manifest): Promise<true> =>
      waitFor(async () => {
        const { status } = await api.get(object);
        const { conditions = [] } = (status ?? {}) as { conditions?: Condition[] };
        return conditions.length > 0 ? true : undefined;
      }, `condition of ${object.kind}`);

    it('are all that a control plane needs', async () => {
      const kubeconfig = await kubeconfigOfAccount();
      await using controlPlane = await runControlPlane(api, { POD_NAME: 'permitted' }, kubeconfig);
      try {
        for (const object of [service, policy, machine, entry]) await judged(object);
        await waitFor(async () => {
          const { status } = await api.get(route);
          return (status as { parents?: unknown[] } | undefined)?.parents?.length === 1 ? true : undefined;
        }, 'status of a route');
        await waitFor(async () => {
          const { status } = await api.get(entry);
          return (status as { addresses?: unknown[] } | undefined)?.addresses;
        }, 'addresses');
        await waitFor(() => api.find(roots), 'roots');
        await waitFor(async () => {
          const { webhooks } = (await api.get(webhook)) as unknown as {
            webhooks: { failurePolicy: string }[];
          };
          return webhooks[0]?.failurePolicy === 'Fail' ? true : undefined;
        }, 'webhook in force');
      } finally {
        expect(controlPlane.log.filter((line) => /^(warn|error)/.test(line))).to.deep.equal([]);
      }
    });
  });
