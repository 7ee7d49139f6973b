import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';

import { expect } from 'chai';
import forge from 'node-forge';

import { endpointOf, webhookCaller, WebhookCallError } from './webhook-call.ts';
import type { WebhookEndpoint } from './webhook-call.ts';
import type { Webhook } from './webhook.ts';

/** A certificate that signed itself, for a service's name and the loopback address. */
function selfSigned(name: string): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(
    publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  );
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  const subject = [{ name: 'commonName', value: name }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: name },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(key), forge.md.sha256.create());
  return { key, cert: forge.pki.certificateToPem(certificate) };
}

describe('calls of webhooks', () => {
  const identity = selfSigned('check.shop.svc');
  let server: Server;
  let port: number;
  let seen = '';

  before(async () => {
    server = createServer(identity, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen = Buffer.concat(chunks).toString();
        if (request.url === '/silent') return;
        response.statusCode = request.url === '/broken' ? 500 : 200;
        response.end(`answer of ${request.url}`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  function endpoint(clientConfig: Webhook['clientConfig']): WebhookEndpoint {
    const resolve = (namespace: string, name: string): { host: string; port: number } | undefined =>
      namespace === 'shop' && name === 'check' ? { host: '127.0.0.1', port } : undefined;
    return endpointOf({ name: 'w', clientConfig }, resolve);
  }

  const caBundle = Buffer.from(identity.cert).toString('base64');

  async function failure(at: WebhookEndpoint, timeoutMs = 5000): Promise<string> {
    try {
      await webhookCaller(undefined)(at, '{}', timeoutMs);
    } catch (error) {
      if (error instanceof WebhookCallError) return error.message;
      throw error;
    }
    return expect.fail('the call succeeded');
  }

  it('reach a service, whose certificate is for its name', async () => {
    const at = endpoint({ service: { namespace: 'shop', name: 'check', path: '/validate' }, caBundle });
    expect(at.serverName).to.equal('check.shop.svc');
    expect(await webhookCaller(undefined)(at, '{"a":1}', 5000)).to.equal('answer of /validate');
    expect(seen).to.equal('{"a":1}');
  });

  it('reach a pod in another network by the way that is given', async () => {
    const at = {
      ...endpoint({ service: { namespace: 'shop', name: 'check' }, caBundle }),
      url: 'https://10.244.1.7:8443/x',
    };
    const asked: [string, number][] = [];
    const call = webhookCaller((address, to) => {
      asked.push([address, to]);
      return connect(port, '127.0.0.1');
    });
    expect(await call(at, '{}', 5000)).to.equal('answer of /x');
    expect(asked).to.deep.equal([['10.244.1.7', 8443]]);
  });

  it('reach a url', async () => {
    expect(
      await webhookCaller(undefined)(endpoint({ url: `https://127.0.0.1:${port}/x`, caBundle }), '{}', 5000),
    ).to.equal('answer of /x');
  });

  it('trust only the bundle', async () => {
    const other = Buffer.from(selfSigned('check.shop.svc').cert).toString('base64');
    expect(await failure(endpoint({ url: `https://127.0.0.1:${port}/x`, caBundle: other }))).to.match(
      /self-signed/i,
    );
    expect(await failure(endpoint({ url: `https://127.0.0.1:${port}/x` }))).to.match(/self-signed/i);
  });

  it('fail by name when the bundle is no certificate', async () => {
    const nonsense = Buffer.from('-----BEGIN CERTIFICATE-----\nx\n').toString('base64');
    expect(await failure(endpoint({ url: `https://127.0.0.1:${port}/x`, caBundle: nonsense }))).to.contain(
      'Post',
    );
  });

  it('refuse a certificate for another name', async () => {
    const at = endpoint({ service: { namespace: 'shop', name: 'check' }, caBundle });
    expect(await failure({ ...at, serverName: 'other.shop.svc' })).to.contain('altnames');
  });

  it('end at their time', async () => {
    expect(await failure(endpoint({ url: `https://127.0.0.1:${port}/silent`, caBundle }), 50)).to.contain(
      'context deadline exceeded',
    );
  });

  it('tell of answers that are no success', async () => {
    expect(await failure(endpoint({ url: `https://127.0.0.1:${port}/broken`, caBundle }))).to.contain(
      'an error on the server ("answer of /broken")',
    );
  });

  it('need a place to go', () => {
    expect(() => endpoint({ service: { namespace: 'shop', name: 'gone' } })).to.throw(
      WebhookCallError,
      'no endpoints available for service "gone" in namespace "shop"',
    );
    expect(() => endpoint({ url: 'http://127.0.0.1/' })).to.throw(WebhookCallError, 'is not an https URL');
    expect(() => endpoint({})).to.throw(WebhookCallError, 'neither url nor service');
  });
});
