import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { ManualClock } from '@ambient/runtime';

import { KubeClient } from '@ambient/kube';
import { FakeApi, json, refuse, settled, testLog, until } from '@ambient/kube/testing';
import type { FakeObject } from '@ambient/kube/testing';
import { WebhookTrust } from './webhook-trust.ts';

const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const name = 'istiod-default-validator';

interface Hook {
  readonly name: string;
  readonly clientConfig: { readonly caBundle?: string };
  readonly failurePolicy: string;
}

function configuration(caBundle?: string, failurePolicy = 'Ignore'): FakeObject {
  const clientConfig = caBundle === undefined ? {} : { caBundle };
  return { metadata: { name, uid: 'w' }, webhooks: [{ name: 'v', clientConfig, failurePolicy }] };
}

describe('trust in the admission webhook', () => {
  let api: FakeApi;
  let clock: ManualClock;
  let roots: string;
  let log: string[];
  let trust: WebhookTrust;
  /** What has been patched, and how the next patches are answered. */
  let patches: { resourceVersion: string; hooks: readonly Hook[] }[];
  let answers: ((request: IncomingMessage, response: ServerResponse) => void)[];

  beforeEach(async () => {
    api = await FakeApi.start();
    api.serve(path);
    api.routes.set(`${path}/${name}`, (request, response) => void take(request, response));
    clock = new ManualClock();
    roots = 'R1';
    log = [];
    patches = [];
    answers = [];
    trust = new WebhookTrust({
      client: new KubeClient(api.connection(), clock),
      clock,
      log: testLog(log),
      names: [name],
      roots: () => roots,
    });
  });

  afterEach(async () => {
    await trust.stopLeading();
    await api[Symbol.asyncDispose]();
  });

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      metadata: { resourceVersion: string };
      webhooks: Hook[];
    };
    patches.push({ resourceVersion: body.metadata.resourceVersion, hooks: body.webhooks });
    const answer = answers.shift() ?? ((_, given) => json(given, 200, {}));
    answer(request, response);
  }

  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  async function lead(): Promise<void> {
    trust.lead();
    await until(() => api.watching === 1);
  }

  it('is put into the configuration that is there, onto the version that was read', async () => {
    api.put(path, configuration());
    await lead();
    await until(() => patches.length === 1);
    expect(patches[0]).to.deep.equal({
      resourceVersion: api.version,
      hooks: [{ name: 'v', clientConfig: { caBundle: base64('R1') }, failurePolicy: 'Fail' }],
    });
  });

  it('is put into one that is installed later, and left alone where it stands', async () => {
    await lead();
    api.put(path, configuration());
    await until(() => patches.length === 1);
    api.put(path, configuration(base64('R1'), 'Fail'));
    api.put(path, configuration('', 'Fail'));
    await until(() => patches.length === 2);
    expect(patches[1]?.hooks[0]?.clientConfig.caBundle).to.equal(base64('R1'));
  });

  it('follows the roots', async () => {
    api.put(path, configuration(base64('R1'), 'Fail'));
    await lead();
    await settled();
    roots = 'R2';
    trust.changed();
    await until(() => patches.length === 1);
    expect(patches[0]?.hooks[0]?.clientConfig.caBundle).to.equal(base64('R2'));
  });

  it('is tried again where it is refused, not where somebody else was faster', async () => {
    answers.push(refuse(409, 'Conflict'), refuse(403, 'Forbidden'));
    api.put(path, configuration());
    await lead();
    await until(() => patches.length === 1);
    await settled();
    expect(log.filter((line) => line.startsWith('warn'))).to.deep.equal([]);
    trust.changed();
    await until(() => log.some((line) => line.startsWith('warn cannot set up')));
    clock.advance(2000);
    await until(() => patches.length === 3);
  });

  it('is nobody’s business after leading', async () => {
    await lead();
    await trust.stopLeading();
    api.put(path, configuration());
    trust.changed();
    await settled();
    expect(patches).to.deep.equal([]);
  });
});
