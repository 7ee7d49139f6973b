// The admission webhook as the API server calls it.
import { expect } from 'chai';

import type { KubeObject } from '@ambient/kube';
import { waitFor } from '@ambient/testkit/lab';
import { runControlPlane } from './harness/run-control-plane.ts';
import type { RunningControlPlane } from './harness/run-control-plane.ts';
import { TestApi } from './harness/test-api.ts';
import type { Manifest } from './harness/test-api.ts';

const namespace = `webhook-${process.pid}`;
const name = 'istiod-default-validator';

function policy(rules: unknown): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'probe', namespace },
    spec: { rules },
  };
}

/** Passes the schema, and is refused by what the webhook checks beyond it. */
const wrong = policy([{ from: [{ source: { ipBlocks: ['10.0.0.0/33'] } }] }]);
const right = policy([{ from: [{ source: { ipBlocks: ['10.0.0.0/8'] } }] }]);

describe('admission webhook', function () {
  this.timeout(60_000);
  let api: TestApi;
  let controlPlane: RunningControlPlane;

  before(async () => {
    api = await TestApi.start();
    await api.ensure({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    controlPlane = await runControlPlane(api);
  });

  after(async () => {
    await api.delete(configuration(1));
    await api.delete(right);
    await api.deleteNamespace(namespace);
    await controlPlane[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  function configuration(port: number): Manifest {
    return {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          name: 'validation.istio.io',
          admissionReviewVersions: ['v1'],
          // A cluster names a Service here; a test has none that leads to it.
          clientConfig: { url: `https://localhost:${port}/validate` },
          failurePolicy: 'Ignore',
          sideEffects: 'None',
          rules: [
            {
              operations: ['CREATE', 'UPDATE'],
              apiGroups: ['security.istio.io'],
              apiVersions: ['*'],
              resources: ['*'],
            },
          ],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        },
      ],
    };
  }

  interface Hooks {
    readonly webhooks: readonly { failurePolicy: string; clientConfig: { caBundle?: string } }[];
  }

  /** The roots that the API server has been told, once the webhook is in force. */
  function inForce(): Promise<string> {
    return waitFor(async () => {
      const { webhooks } = await api.get<KubeObject & Hooks>(configuration(1));
      const [hook] = webhooks;
      return hook?.failurePolicy === 'Fail' ? hook.clientConfig.caBundle : undefined;
    }, 'webhook in force');
  }

  /** What the API server says to a policy that must not come in. A configuration takes it a moment to heed. */
  function refusal(): Promise<string> {
    return waitFor(async () => {
      try {
        await api.create(wrong);
        await api.delete(wrong);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    }, 'refusal');
  }

  it('is put in force by the leader although it is installed later, and refuses by the field’s path', async () => {
    await api.create(configuration(controlPlane.ports.webhook));
    const roots = Buffer.from(await inForce(), 'base64').toString();
    expect(roots).to.match(/^-----BEGIN CERTIFICATE-----/);
    const message = await refusal();
    expect(message).to.contain('admission webhook "validation.istio.io" denied the request');
    expect(message).to.contain('spec.rules[0].from[0].source.ipBlocks[0]');
    await api.create(right);
  });

  it('refuses what would make a good object bad', async () => {
    await api.patch(right, { metadata: { labels: { changed: 'yes' } } });
    const patched = api.patch(right, { spec: { rules: [{ to: [{ operation: { ports: ['eighty'] } }] }] } });
    const message = await patched.then(
      () => 'was taken',
      (error: unknown) => (error as Error).message,
    );
    expect(message).to.contain('spec.rules[0].to[0].operation.ports[0]');
  });

  it('gets its roots back when the configuration is applied again without them', async () => {
    const before = await inForce();
    const { webhooks } = configuration(controlPlane.ports.webhook) as unknown as Hooks;
    await api.patch(configuration(1), { webhooks });
    expect(await inForce()).to.equal(before);
    expect(await refusal()).to.contain('ipBlocks[0]');
  });
});
