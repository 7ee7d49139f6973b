import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleApp } from '@ambient/testkit/lab';
import type { LabProcess, Netns } from '@ambient/testkit/lab';
import { PROXY_PORTS } from './addresses.ts';
import type { Column, Hops, Pair } from './rig.ts';

const READY_DEADLINE_MS = 30_000;

/**
 * A node proxy that takes Istio's ztunnel settings, one in each namespace in dedicated mode: ours, or any other by
 * `--peer`. Both read the same file of workloads and sign with the same throwaway authority.
 */
export function hboneProxy(name: string, description: string, argv: readonly string[]): Column {
  return {
    name,
    description,
    async startHops(pair: Pair): Promise<Hops> {
      const authority = join(pair.lab.directory, 'fake-ca');
      mkdirSync(authority, { recursive: true });
      const workloads = join(pair.lab.directory, 'mesh.yaml');
      writeFileSync(workloads, localMesh(pair));
      const environment = (side: string): Record<string, string> => ({
        PROXY_MODE: 'dedicated',
        PROXY_WORKLOAD_INFO: `bench/${side}/${side}`,
        NODE_NAME: `${side}-node`,
        CLUSTER_ID: 'Kubernetes',
        FAKE_CA: 'true',
        FAKE_CA_DIR: authority,
        XDS_ADDRESS: '',
        LOCAL_XDS_PATH: workloads,
        ZTUNNEL_WORKER_THREADS: '2',
        PACKET_MARK: '1337',
        ENABLE_ORIG_SRC: 'false',
        ISTIO_META_DNS_CAPTURE: 'false',
        // HAProxy writes no line a connection either.
        RUST_LOG: 'warn',
      });
      const server = await pair.server.spawn(argv, { name, env: environment('server') });
      const client = await pair.client.spawn(argv, { name, env: environment('client') });
      await ready(pair.server, server);
      await ready(pair.client, client);
      return {
        client,
        server,
        outbound: [{ toPort: PROXY_PORTS.outbound }],
        tunnelPorts: [PROXY_PORTS.hbone],
      };
    },
  };
}

async function ready(netns: Netns, proxy: LabProcess): Promise<void> {
  await proxy.waitForListener(PROXY_PORTS.readiness, READY_DEADLINE_MS);
  const url = `http://127.0.0.1:${PROXY_PORTS.readiness}/healthz/ready`;
  const probe = sampleApp('http-get', { url, 'retry-until': 200, 'deadline-ms': READY_DEADLINE_MS });
  const { stdout } = await netns.run(probe, { name: 'readiness' }, 2 * READY_DEADLINE_MS);
  const { status, body } = JSON.parse(stdout) as { status: number; body: string };
  if (status !== 200)
    throw new Error(`${proxy.name} is not ready: ${status} ${body}\n${proxy.lines.slice(-15).join('\n')}`);
  await proxy.waitForListener(PROXY_PORTS.outbound);
  await proxy.waitForListener(PROXY_PORTS.hbone);
}

/** Two pods on two nodes; JSON, which is YAML. */
function localMesh(pair: Pair): string {
  const workload = (side: string, ip: string): Record<string, unknown> => ({
    uid: `Kubernetes//Pod/bench/${side}`,
    name: side,
    namespace: 'bench',
    serviceAccount: side,
    workloadIps: [ip],
    protocol: 'HBONE',
    network: '',
    node: `${side}-node`,
    services: {},
  });
  return JSON.stringify({
    workloads: [workload('client', pair.client.ipv4), workload('server', pair.server.ipv4)],
    services: [],
    policies: [],
  });
}
