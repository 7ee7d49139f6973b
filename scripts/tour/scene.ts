import { request } from 'node:http';
import { join } from 'node:path';
import { applyRedirect, clearRedirect } from '@ambient/testkit/lab';
import type { LabProcess } from '@ambient/testkit/lab';
import { TestMesh } from '../../test/netns/harness/index.ts';
import type { HttpAnswer, LocalPolicy, Pod } from '../../test/netns/harness/index.ts';
import { appCommand } from './apps/command.ts';

/** Where the catalog's two servers listen. */
export const PRICE_PORT = 8080;
export const FEED_PORT = 9000;
const ADMIN_PORT = 15_000;

/** Stands in the request and in the answer, and is looked for on the wire. */
export const SECRET = 'MARZIPAN-2741';
export const ANSWER = `a teapot is 41 coins, 9 with coupon ${SECRET}`;

const ADMIN_DEADLINE_MS = 5000;

/** The admin port of a proxy gave no answer of use. */
export class AdminCallError extends Error {
  override readonly name = 'AdminCallError';
  readonly code = 'ERR_ADMIN_CALL';
}

/** The three pods that the tour is about: a shop of two, and a guest that has no business there. */
export class Scene {
  readonly mesh: TestMesh;
  readonly checkout: Pod;
  readonly catalog: Pod;
  readonly intruder: Pod;

  private constructor(mesh: TestMesh) {
    this.mesh = mesh;
    this.checkout = mesh.pod('checkout');
    this.catalog = mesh.pod('catalog');
    this.intruder = mesh.pod('intruder');
  }

  /** Starts pods, proxies and the catalog's servers. Nothing is sent through the proxies yet. */
  static async start(): Promise<Scene> {
    const pod = (namespace: string) => ({ workload: { namespace }, originalSource: true });
    const mesh = await TestMesh.start({
      pods: { checkout: pod('shop'), catalog: pod('shop'), intruder: pod('guest') },
      // A tunnel that stays for the whole tour is one handshake less to wonder about in the recording.
      env: { POOL_UNUSED_RELEASE_TIMEOUT: '5m' },
    });
    const scene = new Scene(mesh);
    await Promise.all([
      scene.setCapture(false),
      scene.catalog.serve('http-constant', { port: PRICE_PORT, body: ANSWER }),
      scene.catalog.serve('echo', { port: FEED_PORT }),
      ...scene.pods.map((each) => scene.#openAdminDoor(each)),
    ]);
    return scene;
  }

  get pods(): readonly Pod[] {
    return [this.checkout, this.catalog, this.intruder];
  }

  /** Puts the redirection of connections into the pods' namespaces, or takes it away. */
  async setCapture(on: boolean): Promise<void> {
    const rules = { outbound: [{ toPort: 15_001 }], inboundPort: 15_006, originalSource: true };
    await Promise.all(
      this.pods.map(({ netns }) => (on ? applyRedirect(netns, rules) : clearRedirect(netns))),
    );
  }

  /** The request that an application of the pod makes: plain HTTP, knowing of no mesh. */
  askPrice(from: Pod): Promise<HttpAnswer> {
    return from.get(this.priceUrl);
  }

  get priceUrl(): string {
    return `http://${this.catalog.ipv4}:${PRICE_PORT}/price?item=teapot&coupon=${SECRET}`;
  }

  /** Starts a client in the pod that holds a connection to the catalog's feed, and resolves when it is answered. */
  async openCall(from: Pod): Promise<LabProcess> {
    const options = { host: this.catalog.ipv4, port: FEED_PORT };
    const call = await from.spawn(appCommand('open-call', options), { name: 'open-call' });
    await call.waitForLine(/^open$/);
    return call;
  }

  /** Keeps connections coming from a pod, for the live table. */
  startTraffic(from: Pod, calls: number): Promise<LabProcess> {
    const options = { host: this.catalog.ipv4, port: FEED_PORT, calls };
    return from.spawn(appCommand('background-traffic', options), { name: 'background-traffic' });
  }

  /** Replaces the policies. Resolves when the catalog's proxy has them, with the milliseconds that it took. */
  async setPolicies(policies: readonly LocalPolicy[]): Promise<number> {
    const loaded = (): number =>
      this.catalog.log().filter(({ message }) => message === 'local mesh loaded').length;
    const before = loaded();
    const started = performance.now();
    this.mesh.setPolicies(policies);
    const arrived = (): true | undefined => (loaded() > before ? true : undefined);
    await this.catalog.proxy.waitFor(arrived, 'message that the policies are loaded');
    return performance.now() - started;
  }

  /** GET on the admin port of a pod's proxy. @throws AdminCallError */
  admin(pod: Pod, path: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void =>
        reject(new AdminCallError(`the admin port of ${pod.name} does not answer ${path}`, { cause }));
      const options = { socketPath: this.#doorOf(pod), path, agent: false, timeout: ADMIN_DEADLINE_MS };
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          } catch (error) {
            fail(error);
          }
        });
      });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${ADMIN_DEADLINE_MS} ms`)));
      call.on('error', fail);
      call.end();
    });
  }

  async #openAdminDoor(pod: Pod): Promise<void> {
    const door = await pod.spawn(appCommand('admin-door', { socket: this.#doorOf(pod), port: ADMIN_PORT }), {
      name: 'admin-door',
    });
    await door.waitForLine(/^ready$/);
  }

  #doorOf(pod: Pod): string {
    return join(this.mesh.lab.directory, `${pod.name}.sock`);
  }
}

/** `namespace/name`, as operators name a pod. */
export function podName(pod: Pod): string {
  return `${pod.workload.namespace}/${pod.name}`;
}

/** The pod's identity as it stands in certificates and logs. */
export function spiffeId(pod: Pod): string {
  return `spiffe://${pod.principal}`;
}
