// Who asks for what is not theirs: tokens that are forged, old or made for others, nodes that speak for other nodes.
import { X509Certificate } from 'node:crypto';
import { credentials, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { createCsr, FakeCa, generateKeyPair } from '@ambient/identity';

import { CertificateCaller } from './certificate-caller.ts';
import type { CertificateOrder } from './certificate-caller.ts';
import { account, Cluster, namespace, pod, uidOf } from './cluster.ts';
import { TestClock } from './control-plane-in-process.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { DiscoveryClient } from './discovery-client.ts';
import type { ClaimedNode } from './discovery-client.ts';

const web = 'spiffe://cluster.local/ns/shop/sa/web';
const clusterHeader = { clusterid: 'Kubernetes' };

describe('callers of the control plane that are not who they say', () => {
  /** Of the API server, which says when a token has expired. */
  const apiClock = new TestClock();
  let cluster: Cluster;
  let controlPlane: ControlPlaneProcess;
  let roots: string;
  let grpc: string;
  let caller: CertificateCaller;
  /** Of the node agent on n1, bound to its pod. */
  let agent: string;

  before(async () => {
    cluster = await Cluster.start({ clock: apiClock });
    await cluster.lab.load([
      namespace('elsewhere'),
      account('ztunnel', 'istio-system'),
      account('web'),
      account('db'),
      account('ztunnel', 'elsewhere'),
      pod('z1', 1, { ns: 'istio-system', node: 'n1', account: 'ztunnel' }),
      pod('z2', 2, { ns: 'istio-system', node: 'n2', account: 'ztunnel' }),
      pod('web-1', 3, { node: 'n1', account: 'web' }),
      pod('db-1', 4, { node: 'n2', account: 'db' }),
    ]);
    controlPlane = ControlPlaneProcess.spawn(cluster.file('lab', cluster.lab.kubeconfig));
    const ports = await controlPlane.serving();
    await controlPlane.ready();
    grpc = `localhost:${ports.grpc}`;
    roots = await cluster.roots();
    caller = new CertificateCaller(grpc, CertificateCaller.trusting(roots));
    agent = await cluster.token('istio-system/ztunnel', { pod: 'z1' });
  });
  after(async () => {
    caller[Symbol.dispose]();
    await controlPlane[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(() => (controlPlane.log.length = 1));
  afterEach('who is honest is served as ever', async () => {
    const outcome = await caller.ask({ token: agent, headers: clusterHeader, impersonate: web });
    expect(outcome.kind).equal('issued');
    await controlPlane.line({ message: 'certificate issued', identity: web, node: 'n1' });
    expect(controlPlane.lines({ level: 'error' })).deep.equal([]);
    expect(controlPlane.running).equal(true);
  });

  /** The order is refused with this status and reason, and an audit line says so without the token. */
  async function refused(order: CertificateOrder, code: number, reason: string): Promise<string> {
    controlPlane.log.length = 1;
    const outcome = await caller.ask(order);
    if (outcome.kind === 'issued') throw new Error(`a certificate was issued, against ${reason}`);
    expect(outcome.code, outcome.details).equal(code);
    await controlPlane.line({ level: 'warn', message: 'certificate refused', reason });
    if (order.token !== undefined && order.token.length > 20)
      expect(JSON.stringify(controlPlane.log)).not.contain(order.token);
    return outcome.details;
  }

  /** The stream is refused with this status. @returns the text */
  async function streamRefused(
    headers: Readonly<Record<string, string>>,
    code: number,
    refusal: string,
    node?: ClaimedNode,
  ): Promise<string> {
    using client = new DiscoveryClient({
      address: grpc,
      credentials: CertificateCaller.trusting(roots),
      headers,
      ...(node === undefined ? {} : { node }),
    });
    const end = await client.ended();
    expect(end.code, end.details).equal(code);
    expect(client.responses).deep.equal([]);
    await controlPlane.line({ level: 'warn', message: 'discovery stream refused', code: refusal });
    return end.details;
  }

  const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

  describe('by their token', () => {
    it('send none', async () => {
      expect(await refused({}, status.UNAUTHENTICATED, 'no-credentials')).match(/Mount a projected/);
      expect(await streamRefused({}, status.UNAUTHENTICATED, 'XDS_UNAUTHENTICATED')).match(/neither a token/);
    });

    it('forge it: another signature, another key, no signature, another account in its claims', async () => {
      const [header = '', claims = '', signature = ''] = agent.split('.');
      const read = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
      const other = { ...read, sub: 'system:serviceaccount:istio-system:ztunnel' };
      const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const forgeries = [
        `${header}.${claims}.${signature.split('').reverse().join('')}`,
        `${header}.${encode({ ...other, 'kubernetes.io': { namespace: 'kube-system' } })}.${signature}`,
        `${encode({ alg: 'none' })}.${claims}.`,
        `${encode({ alg: 'HS256' })}.${claims}.${Buffer.from(roots).toString('base64url')}`,
        'eyJ.eyJ.x',
      ];
      for (const token of forgeries) {
        const details = await refused({ token }, status.UNAUTHENTICATED, 'token-rejected');
        expect(details).match(/The API server does not accept the token/);
        await streamRefused(bearer(token), status.UNAUTHENTICATED, 'XDS_UNAUTHENTICATED');
      }
    });

    it('bring one that is made for others', async () => {
      for (const audience of ['https://kubernetes.default.svc.cluster.local', 'vault', 'istio-ca.example']) {
        const token = await cluster.token('istio-system/ztunnel', { pod: 'z1', audience });
        const details = await refused({ token }, status.UNAUTHENTICATED, 'token-audience');
        expect(details).match(/not made for audience istio-ca/);
        await streamRefused(bearer(token), status.UNAUTHENTICATED, 'XDS_UNAUTHENTICATED');
      }
    });

    it('bring one of a pod that is gone, or of an account that is gone', async () => {
      await cluster.lab.load([account('brief'), pod('brief', 50, { account: 'brief', node: 'n1' })]);
      const bound = await cluster.token('shop/brief', { pod: 'brief' });
      const unbound = await cluster.token('shop/brief');
      await cluster.delete(pod('brief', 50));
      expect(await refused({ token: bound }, status.UNAUTHENTICATED, 'token-rejected')).match(
        /that its pod still exists/,
      );
      await cluster.client.request({
        method: 'DELETE',
        path: '/api/v1/namespaces/shop/serviceaccounts/brief',
      });
      await refused({ token: unbound }, status.UNAUTHENTICATED, 'token-rejected');
    });

    it('bring one that has expired', async () => {
      const token = await cluster.token('istio-system/ztunnel', { pod: 'z1', seconds: 600 });
      apiClock.set(601_000);
      try {
        await refused({ token }, status.UNAUTHENTICATED, 'token-rejected');
        await streamRefused(bearer(token), status.UNAUTHENTICATED, 'XDS_UNAUTHENTICATED');
      } finally {
        apiClock.set(-601_000);
      }
    });

    it('send it twice, in another scheme, or as a megabyte of text', async () => {
      await refused(
        { headers: { authorization: `Basic ${agent}` } },
        status.UNAUTHENTICATED,
        'token-malformed',
      );
      await refused({ token: 'x'.repeat(20_000) }, status.UNAUTHENTICATED, 'token-malformed');
      await refused(
        { token: agent, headers: { clusterid: 'Elsewhere' } },
        status.UNAUTHENTICATED,
        'unknown-cluster',
      );
    });
  });

  describe('by the node that they are on', () => {
    const ask = (token: string, impersonate: CertificateOrder['impersonate']): CertificateOrder => ({
      token,
      headers: clusterHeader,
      ...(impersonate === undefined ? {} : { impersonate }),
    });

    it('want the identity of a workload on another node', async () => {
      const details = await refused(
        ask(agent, 'spiffe://cluster.local/ns/shop/sa/db'),
        status.UNAUTHENTICATED,
        'impersonation-node',
      );
      expect(details).match(/no such pod is on its node n1/);
    });

    it('are agents by name only: in another namespace, or bound to no pod', async () => {
      const foreign = await cluster.token('elsewhere/ztunnel');
      await refused(ask(foreign, web), status.UNAUTHENTICATED, 'impersonation-untrusted');
      const unbound = await cluster.token('istio-system/ztunnel');
      await refused(ask(unbound, web), status.UNAUTHENTICATED, 'impersonation-unbound-token');
    });

    it('are workloads that ask for others', async () => {
      const token = await cluster.token('shop/web', { pod: 'web-1' });
      await refused(
        ask(token, 'spiffe://cluster.local/ns/shop/sa/db'),
        status.UNAUTHENTICATED,
        'impersonation-untrusted',
      );
    });

    it('hold the token of an agent whose pod was replaced', async () => {
      const old = await cluster.token('istio-system/ztunnel', { pod: 'z2' });
      expect((await caller.ask(ask(old, 'spiffe://cluster.local/ns/shop/sa/db'))).kind).equal('issued');
      const successor = pod('z2', 2, { ns: 'istio-system', node: 'n2', account: 'ztunnel' });
      await cluster.delete(successor);
      await cluster.lab.load([successor]);
      await controlPlane.line({ message: 'certificate issued' });
      using observer = await open(agent);
      await observer.until(uidOf('z2', 'istio-system'));
      // The API server's word on the token is still believed for a moment, the pod is not.
      await refused(
        ask(old, 'spiffe://cluster.local/ns/shop/sa/db'),
        status.UNAUTHENTICATED,
        'impersonation-stale-pod',
      );
    });

    it('send what is no identity: lists, escapes, other trust domains, numbers, nothing but spaces', async () => {
      const malformed = [
        'web',
        'spiffe://cluster.local/ns/shop/sa/web,spiffe://cluster.local/ns/shop/sa/db',
        'spiffe://cluster.local/ns/shop/sa/web/../db',
        'spiffe://cluster.local/ns/shop/sa/we%62',
        'spiffe://cluster.local/ns/shop/sa/web?x',
        'spiffe://cluster.local//ns/shop/sa/web',
        'spiffe://cluster.local/ns/Shop/sa/web',
        'SPIFFE://cluster.local/ns/shop/sa/web',
        ' ',
        `spiffe://cluster.local/ns/shop/sa/${'w'.repeat(5000)}`,
        'spiffe://cluster.local/ns/shop/sa/web\nserial=0',
      ];
      for (const text of malformed)
        await refused(ask(agent, text), status.UNAUTHENTICATED, 'impersonation-malformed');
      for (const value of [{ numberValue: 7 }, { boolValue: true }, { listValue: { values: [] } }])
        await refused(ask(agent, value), status.UNAUTHENTICATED, 'impersonation-malformed');
      await refused(
        ask(agent, 'spiffe://evil.example/ns/shop/sa/web'),
        status.UNAUTHENTICATED,
        'impersonation-trust-domain',
      );
    });

    it('name another node, namespace or account in discovery than they proved', async () => {
      const node = await streamRefused(bearer(agent), status.PERMISSION_DENIED, 'XDS_NODE_FOREIGN', {
        nodeName: 'n2',
      });
      expect(node).match(/is of node "n1", but claims "n2"; check node metadata NODE_NAME/);
      await streamRefused(bearer(agent), status.PERMISSION_DENIED, 'XDS_NODE_FOREIGN', {
        namespace: 'kube-system',
      });
      await streamRefused(bearer(agent), status.PERMISSION_DENIED, 'XDS_NODE_FOREIGN', {
        serviceAccount: 'cluster-admin',
      });
    });
  });

  it('show a certificate of another CA: it proves nothing, however good its name', async () => {
    const fake = await FakeCa.create({ now: () => Date.now() });
    const identity = { trustDomain: 'cluster.local', namespace: 'istio-system', serviceAccount: 'ztunnel' };
    const { certificateChainPem, privateKeyPem } = (await fake.issue(identity)).toMessage();
    const channel = credentials.createSsl(
      Buffer.from(roots),
      Buffer.from(privateKeyPem),
      Buffer.from(certificateChainPem.join('')),
    );
    using impostor = new CertificateCaller(grpc, channel);
    const outcome = await impostor.ask({ headers: clusterHeader });
    expect(outcome).include({ kind: 'refused', code: status.UNAUTHENTICATED });
    await controlPlane.line({ level: 'warn', message: 'certificate refused', reason: 'no-credentials' });
  });

  it('ask with what is no request, or for longer than anybody may', async () => {
    const honest = { token: agent, headers: clusterHeader, impersonate: web };
    await refused({ ...honest, csr: 'not a request' }, status.INVALID_ARGUMENT, 'malformed-csr');
    const keyPair = generateKeyPair();
    const csr = await createCsr({ trustDomain: 'a', namespace: 'b', serviceAccount: 'c' }, keyPair);
    await refused({ ...honest, csr: csr.replace(/[A-Z]/, 'z') }, status.INVALID_ARGUMENT, 'malformed-csr');
    await refused({ ...honest, seconds: 10 * 365 * 86_400 }, status.INVALID_ARGUMENT, 'ttl-too-long');
    // What a request says of its subject counts for nothing.
    const outcome = await caller.ask({ ...honest, csr });
    if (outcome.kind === 'refused') throw new Error(outcome.details);
    expect(new X509Certificate(outcome.chain[0]!).subjectAltName).equal(`URI:${web}`);
  });

  it('ask without end: a workload is slowed down, others are not', async () => {
    const token = await cluster.token('shop/web', { pod: 'web-1' });
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => caller.ask({ token })));
    expect(outcomes.filter(({ kind }) => kind === 'issued')).lengthOf.within(20, 22);
    const refusedOne = outcomes.find((outcome) => outcome.kind === 'refused');
    expect(refusedOne?.details).match(/asks for certificates too often; come again in \d+ s/);
    await controlPlane.line({ message: 'certificate refused', reason: 'rate-limited' });
  });

  async function open(token: string): Promise<DiscoveryClient> {
    const client = new DiscoveryClient({
      address: grpc,
      credentials: CertificateCaller.trusting(roots),
      headers: { ...bearer(token), ...clusterHeader },
      node: { namespace: 'istio-system', nodeName: 'n1' },
    });
    await client.sync();
    return client;
  }
});
