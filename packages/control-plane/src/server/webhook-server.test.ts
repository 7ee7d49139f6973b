import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { FakeCa } from '@ambient/identity';

import type { ServingMaterial } from '../ca/serving-certificate.ts';
import { createWebhookServer } from './webhook-server.ts';

async function material(): Promise<ServingMaterial> {
  const ca = await FakeCa.create({ now: () => Date.now(), lifetimeMs: 3_600_000 });
  const identity = { trustDomain: 'cluster.local', namespace: 'istio-system', serviceAccount: 'istiod' };
  const issued = await ca.fetch(identity);
  return {
    cert: issued.certificateChainPem.join(''),
    key: issued.toMessage().privateKeyPem,
    ca: issued.rootsPem.join(''),
  };
}

/** An AdmissionReview about a policy. */
function review(spec: unknown): string {
  const kind = { group: 'security.istio.io', version: 'v1', kind: 'AuthorizationPolicy' };
  const object = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'p', namespace: 'n' },
    spec,
  };
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u', kind, operation: 'CREATE', object },
  });
}

describe('webhook server', () => {
  let first: ServingMaterial;
  let current: ServingMaterial;
  let swap: ((next: ServingMaterial) => void) | undefined;
  let webhook: ReturnType<typeof createWebhookServer>;
  let port: number;

  before(async () => {
    first = await material();
    current = first;
    webhook = createWebhookServer({
      get material() {
        return current;
      },
      onChange: (listener) => {
        swap = listener;
        return { [Symbol.dispose]: () => (swap = undefined) };
      },
    });
    webhook.server.listen(0, '127.0.0.1');
    await once(webhook.server, 'listening');
    ({ port } = webhook.server.address() as AddressInfo);
  });

  after(() => {
    webhook.swaps[Symbol.dispose]();
    expect(swap, 'the listener is gone').to.equal(undefined);
    webhook.server.close();
    webhook.server.closeAllConnections();
  });

  async function ask(
    path: string,
    body?: string | Buffer,
    { method = 'POST', ca = current.ca } = {},
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    // The certificate is trusted, for another name than a loopback address.
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      ca,
      agent: false,
      checkServerIdentity: () => undefined,
    });
    // Who is cut off while it still sends is told of that too.
    const answered = once(sent, 'response');
    sent.end(body);
    const [response] = (await answered) as [IncomingMessage];
    sent.on('error', () => undefined);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    return { status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> };
  }

  it('allows what is in order and refuses what is not, by the field’s path', async () => {
    const allowed = await ask('/validate?timeout=10s', review({ rules: [{}] }));
    expect(allowed.status).to.equal(200);
    expect(allowed.body['response']).to.include({ uid: 'u', allowed: true });
    const refused = await ask('/validate', review({ action: 'PERHAPS' }));
    expect(refused.status).to.equal(200);
    expect(refused.body['response']).to.include({ uid: 'u', allowed: false });
    expect(JSON.stringify(refused.body)).to.contain('spec.action');
  });

  it('is ready', async () => {
    expect((await ask('/ready', undefined, { method: 'GET' })).status).to.equal(200);
  });

  it('answers neither another path nor another method', async () => {
    expect((await ask('/inject', review({}))).status).to.equal(404);
    expect((await ask('/validate', undefined, { method: 'GET' })).status).to.equal(405);
  });

  it('says so if it is sent no JSON', async () => {
    const { status, body } = await ask('/validate', '{');
    expect(status).to.equal(400);
    expect(body['error']).to.contain('no JSON');
  });

  it('refuses a review that is no review', async () => {
    expect((await ask('/validate', '[]')).status).to.equal(400);
    expect((await ask('/validate', 'null')).status).to.equal(400);
  });

  it('cuts off who sends more than an API server would, and serves the next', async () => {
    const { status } = await ask('/validate', Buffer.alloc(9 * 1024 * 1024, ' '));
    expect(status).to.equal(413);
    expect((await ask('/validate', review({ rules: [{}] }))).status).to.equal(200);
  });

  it('goes over to the renewed certificate', async () => {
    current = await material();
    swap?.(current);
    expect((await ask('/ready', undefined, { method: 'GET' })).status).to.equal(200);
    const old = await ask('/ready', undefined, { method: 'GET', ca: first.ca }).catch(
      (error: Error) => error,
    );
    expect(old).to.be.instanceOf(Error);
  });
});
