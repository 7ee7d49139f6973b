import type { Socket } from 'node:net';

import type { KubeClient } from '@ambient/kube';
import type { Clock, Logger } from '@ambient/runtime';

import type { ImageCatalog } from '../../images/catalog.ts';
import type { RunPlugin } from '../plugins/chain.ts';
import type { ClusterNames } from '../container/name-files.ts';
import type { HostProc } from '../host-proc.ts';
import type { PodEvents } from '../pod-events.ts';
import type { WatchedObjects } from '../volumes/watched-objects.ts';

/** What every pod of a cluster is told of it. */
export interface ClusterFacts extends ClusterNames {
  /** Where pods reach the API server: KUBERNETES_SERVICE_HOST and _PORT. */
  readonly apiAddress: string;
  readonly apiPort: number;
  /** What the API server's certificate is verified by. */
  readonly caPem: string;
}

/** What a node gives to its pods. */
export interface PodHost {
  readonly nodeName: string;
  /** A process in the node's network namespace. */
  readonly nodePid: number;
  readonly addresses: readonly string[];
  readonly allocatable: Readonly<Record<string, string>>;
  /** What hostPath volumes name. */
  readonly hostDirectory: string;
  readonly podsDirectory: string;
  readonly logsDirectory: string;
  /** An empty directory. */
  readonly stage: string;
  /** Directories that containers have to see wherever they are. */
  readonly programDirectories: readonly string[];
  readonly runPlugin: RunPlugin;
  readonly client: KubeClient;
  readonly objects: WatchedObjects;
  readonly images: ImageCatalog;
  readonly events: PodEvents;
  readonly hostProc: HostProc;
  readonly cluster: ClusterFacts;
  readonly clock: Clock;
  readonly log: Logger;
  /** The kernel allows containers a view of processes of their own. */
  readonly canOwnProcesses: boolean;
  readonly isMappedUser: (id: number) => boolean;
  /** A TCP connection from the node's network. */
  readonly connect: (address: string, port: number) => Socket;
}
