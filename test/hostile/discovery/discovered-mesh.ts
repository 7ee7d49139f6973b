import { FakeXds, waitFor } from '@ambient/testkit';
import type { FakeMesh } from '@ambient/testkit';
import { parseLocalConfig } from '@ambient/xds';
import { renderLocalMesh, TestMesh } from '../../netns/harness/index.ts';
import type { LocalMesh, LocalWorkload, Pod } from '../../netns/harness/index.ts';
import { ECHO_PORT, echoRound } from '../peers/rig.ts';
import { InPodEndpoint } from './in-pod-endpoint.ts';

const XDS_PORT = 15_010;

/** What a test's mesh is over the wire. */
export function asDiscovered(local: LocalMesh): Required<FakeMesh> {
  const { updates, rejected } = parseLocalConfig(renderLocalMesh(local));
  if (rejected.length > 0) throw rejected[0]!;
  const all = [...updates.values()];
  return {
    workloads: all.flatMap((update) => (update.kind === 'workload' ? [update.workload] : [])),
    services: all.flatMap((update) => (update.kind === 'service' ? [update.service] : [])),
    policies: all.flatMap((update) => (update.kind === 'policy' ? [update.policy] : [])),
  };
}

/** Two proxies and the control plane that tells them of each other. */
export class DiscoveredMesh {
  readonly mesh: TestMesh;
  readonly controlPlane: FakeXds;
  readonly endpoint: InPodEndpoint;

  private constructor(mesh: TestMesh, controlPlane: FakeXds, endpoint: InPodEndpoint) {
    this.mesh = mesh;
    this.controlPlane = controlPlane;
    this.endpoint = endpoint;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<DiscoveredMesh> {
    const controlPlane = await FakeXds.start();
    const endpoint = new InPodEndpoint(XDS_PORT, (connection) => controlPlane.inject(connection));
    try {
      const mesh = await TestMesh.start({
        pods: { client: {}, server: {} },
        env: {
          LOCAL_XDS_PATH: '',
          XDS_ADDRESS: `http://localhost:${XDS_PORT}`,
          AUTH_TOKEN: 'a-token',
          ZTUNNEL_WORKER_THREADS: '1',
          ...env,
        },
        prepare(ready) {
          controlPlane.setMesh(asDiscovered(ready.mesh));
          endpoint.open(Object.values(ready.pods));
        },
      });
      const made = new DiscoveredMesh(mesh, controlPlane, endpoint);
      await made.server.serve('echo', { port: ECHO_PORT });
      return made;
    } catch (error) {
      await endpoint.close();
      await controlPlane[Symbol.asyncDispose]();
      throw error;
    }
  }

  get client(): Pod {
    return this.mesh.pod('client');
  }

  get server(): Pod {
    return this.mesh.pod('server');
  }

  /** The pods' mesh with these besides, as a control plane has it. */
  discovered(more: Partial<LocalMesh> = {}): FakeMesh {
    const { workloads, services } = this.mesh.mesh;
    return asDiscovered({
      workloads: [...workloads, ...(more.workloads ?? [])],
      services: [...services, ...(more.services ?? [])],
      policies: more.policies ?? [],
    });
  }

  /** A workload that nobody runs. */
  extra(name: string, ip: string): LocalWorkload {
    return {
      ...this.server.workload,
      uid: `Kubernetes//Pod/default/${name}`,
      name,
      workloadIps: [ip],
      node: 'another-node',
    };
  }

  /** Waits until every proxy holds, or holds no more, something of this name. */
  async held(text: string, held = true): Promise<void> {
    for (const pod of [this.client, this.server]) {
      const isSo = async (): Promise<boolean> =>
        (await pod.admin('/config_dump')).body.includes(text) === held;
      await waitFor(isSo, `${pod.name} to ${held ? 'hold' : 'hold no more'} ${text}`);
    }
  }

  goodRound(): Promise<void> {
    return echoRound(this.client, this.server);
  }

  /** How often each proxy has said that it lost the control plane, or did not reach it. */
  losses(): number[] {
    return [this.client, this.server].map(countLosses);
  }

  /** Waits until both proxies have said so `more` times since `before`. */
  async lost(before: readonly number[], more = 1): Promise<void> {
    await Promise.all(
      [this.client, this.server].map((pod, index) =>
        pod.proxy.waitFor(
          () => countLosses(pod) >= before[index]! + more || undefined,
          'loss of the control plane',
        ),
      ),
    );
  }

  async stop(): Promise<void> {
    try {
      await this.endpoint.close(); // streams are no leak
      await this.mesh.stop();
    } finally {
      await this.mesh.destroy();
      await this.controlPlane[Symbol.asyncDispose]();
    }
  }
}

function countLosses(pod: Pod): number {
  return pod.log().filter(({ message }) => /^discovery stream (failed|ended)/.test(String(message))).length;
}
