import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROXY_PORTS } from '../../rig/addresses.ts';
import type { PodPlace } from '../cluster/synthetic-cluster.ts';
import { Program } from './program.ts';

const entry = fileURLToPath(new URL('../../../packages/ztunnel/src/main.ts', import.meta.url));
const readyDeadlineMs = 120_000;
const pollMs = 10;

/** What a node proxy needed to know its mesh. */
export interface ProxyFigures {
  /** From its start until it is ready and each of its data workers has the whole mesh, in seconds. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Anonymous memory once it is settled. */
  readonly bytes: number;
}

/**
 * Starts our ztunnel as a pod's proxy, and waits until its mesh is whole.
 *
 * @param xdsAddress `host:port` in plaintext; '' for a mesh without anything in it
 * @param directory for the files of its throwaway CA
 */
export async function startZtunnel(
  pod: PodPlace,
  xdsAddress: string,
  directory: string,
  settled: (program: Program) => Promise<number>,
): Promise<ProxyFigures> {
  const program = new Program('ztunnel', [process.execPath, '--disable-warning=ExperimentalWarning', entry], {
    PROXY_MODE: 'dedicated',
    PROXY_WORKLOAD_INFO: `${pod.namespace}/${pod.name}/${pod.serviceAccount}`,
    NODE_NAME: pod.node,
    CLUSTER_ID: 'Kubernetes',
    FAKE_CA: 'true',
    FAKE_CA_DIR: join(directory, 'fake-ca'),
    XDS_ADDRESS: xdsAddress === '' ? '' : `http://${xdsAddress}`,
    ...(xdsAddress === '' ? { LOCAL_XDS: '{}' } : {}),
    ZTUNNEL_WORKER_THREADS: '2',
    ENABLE_ORIG_SRC: 'false',
    ISTIO_META_DNS_CAPTURE: 'false',
    RUST_LOG: 'warn',
  });
  try {
    await program.while(answers(`http://127.0.0.1:${PROXY_PORTS.readiness}/healthz/ready`));
    // The workers are asked for their counts, and answer after everything that they were told of the mesh.
    await program.while(answers(`http://127.0.0.1:${PROXY_PORTS.stats}/metrics`));
    const seconds = (performance.timeOrigin + performance.now() - program.spawnedMs) / 1000;
    const { cpuSeconds } = program.usage();
    return { seconds, cpuSeconds, bytes: await program.while(settled(program)) };
  } finally {
    await program.stop();
  }
}

async function answers(url: string): Promise<void> {
  const deadline = performance.now() + readyDeadlineMs;
  while (performance.now() < deadline) {
    try {
      const response = await fetch(url);
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // It does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`${url} did not answer within ${readyDeadlineMs / 1000} s`);
}
