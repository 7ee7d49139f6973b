/** The Kubernetes API that the control plane is measured against, with a synthetic cluster in it. */
import { readdir, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabApi } from '@ambient/lab';
import { KubeConfig } from '@kubernetes/client-node';
import { accountsOf, podPlace, revisionLabel, syntheticCluster } from '../cluster/synthetic-cluster.ts';
import type { Account, ClusterShape } from '../cluster/synthetic-cluster.ts';
import { nowMs, pause, serve } from './serve.ts';

/** One change of a pod, and when its request was sent (Unix time in milliseconds). */
export interface PodChange {
  readonly revision: number;
  readonly sentMs: number;
}

/** A service account that can prove who it is. */
export interface AccountToken extends Account {
  readonly token: string;
}

/** Names that no other text contains: clients look for them in what they get. */
const revisionName = (revision: number): string => `bench-revision-${revision}-x`;

const crds = fileURLToPath(new URL('../../../charts/base/crds/', import.meta.url));
const agent = new Agent({ keepAlive: true });
let api: LabApi;
let credentials: RequestOptions;
let shape: ClusterShape;

const handlers = {
  /** Serves a cluster, and leaves the way to it in a file. @returns objects */
  async start(input: { readonly shape: ClusterShape; readonly kubeconfig: string }): Promise<number> {
    ({ shape } = input);
    api = await LabApi.start({
      host: '127.0.0.1',
      port: 0,
      crdFiles: (await readdir(crds)).map((file) => join(crds, file)),
      onFault: (error) => console.error(error),
    });
    const config = new KubeConfig();
    config.loadFromString(api.kubeconfig);
    credentials = {};
    await config.applyToHTTPSOptions(credentials);
    await writeFile(input.kubeconfig, api.kubeconfig);
    const cluster = syntheticCluster(shape);
    let objects = 0;
    for (let next = cluster.next(''); next.done !== true; objects++) {
      const [stored] = await api.load([next.value]);
      next = cluster.next(stored!.metadata.uid ?? '');
    }
    return objects;
  },

  /** Changes one pod after the other, spread over the cluster, at a steady rate whatever the API takes for each. */
  async change(input: {
    readonly from: number;
    readonly count: number;
    readonly everyMs: number;
  }): Promise<PodChange[]> {
    const changes: Promise<PodChange>[] = [];
    const startMs = nowMs();
    for (let index = 0; index < input.count; index++) {
      const waitMs = startMs + index * input.everyMs - nowMs();
      if (waitMs > 0) await pause(waitMs);
      changes.push(changePod(input.from + index));
    }
    return Promise.all(changes);
  },

  /** Tokens for the CA, of the first service accounts. */
  tokens({ count }: { readonly count: number }): AccountToken[] {
    return accountsOf(shape, count).map((account) => {
      const { token } = api.issueToken(account.namespace, account.serviceAccount, ['istio-ca']);
      return { ...account, token };
    });
  },
};

export type ApiProgram = typeof handlers;

async function changePod(revision: number): Promise<PodChange> {
  // A prime step: neighbours in time are no neighbours in the cluster.
  const { namespace, name } = podPlace(shape, (revision * 7919) % shape.pods);
  const body = JSON.stringify({ metadata: { labels: { [revisionLabel]: revisionName(revision) } } });
  const sentMs = nowMs();
  await new Promise<void>((resolve, reject) => {
    const sent = request(
      `${api.url}/api/v1/namespaces/${namespace}/pods/${name}`,
      {
        ...credentials,
        agent,
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json', 'content-length': body.length },
      },
      (response) => {
        response.resume().on('end', resolve);
        if (response.statusCode !== 200) reject(new Error(`PATCH of a pod: ${response.statusCode}`));
      },
    );
    sent.on('error', reject).end(body);
  });
  return { revision, sentMs };
}

serve(handlers);
