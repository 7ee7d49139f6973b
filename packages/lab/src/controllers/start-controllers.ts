import { KubeClient } from '@ambient/kube';
import type { KubeConnection } from '@ambient/kube';
import { realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import { ClusterCache } from './cache/cluster-cache.ts';
import { ClusterWriter } from './cache/cluster-writer.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { DeploymentController } from './deployment/deployment-controller.ts';
import { EventRecorder } from '../events/event-recorder.ts';
import { EndpointSliceController } from './endpoint-slice/endpoint-slice-controller.ts';
import { DaemonSetController } from './daemon-set/daemon-set-controller.ts';
import { StatefulSetController } from './stateful-set/stateful-set-controller.ts';
import { JobController } from './job/job-controller.ts';
import { NodeController } from './node/node-controller.ts';
import { PodEvictionController } from './node/pod-eviction.ts';
import { DisruptionBudgetController } from './pods/disruption-budget.ts';
import { RootCaPublisher } from './root-ca.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { ReplicaSetController } from './replica-set/replica-set-controller.ts';

export interface ControllersOptions {
  /** Of a user of group system:masters; its owner disposes it after the controllers have stopped. */
  readonly connection: KubeConnection;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Published in every namespace as ConfigMap `kube-root-ca.crt`; absent: nothing is. */
  readonly caPem?: string;
  /** How long a node may be without a heartbeat; 40 s if absent. Milliseconds. */
  readonly nodeGraceMs?: number;
}

export interface RunningControllers {
  /** Nothing is due or being done; looks that are due later may be left. */
  readonly idle: boolean;
  /** Objects that have been written. */
  readonly written: number;
  /** Resolves when no request is open any more. */
  stop(): Promise<void>;
}

/** Starts what kube-controller-manager and kube-scheduler are in a cluster; settles when they are in step with the API. */
export async function startControllers(options: ControllersOptions): Promise<RunningControllers> {
  const { connection, log, clock = realClock, caPem, nodeGraceMs = 40_000 } = options;
  const client = new KubeClient(connection, clock);
  const cache = new ClusterCache({ client, log, clock });
  await cache.start();
  const writer = new ClusterWriter(client, cache, clock);
  const events = new EventRecorder({ client, log, clock });
  const context: ControllerContext = { cache, writer, events, log, clock };
  const controllers: readonly Controller[] = [
    new DeploymentController(context),
    new ReplicaSetController(context),
    new DaemonSetController(context),
    new StatefulSetController(context),
    new JobController(context),
    new NodeController(context, nodeGraceMs),
    new PodEvictionController(context),
    new DisruptionBudgetController(context),
    ...(caPem === undefined ? [] : [new RootCaPublisher(context, caPem)]),
    new Scheduler(context),
    new EndpointSliceController(context),
  ];
  return {
    get idle() {
      return controllers.every((each) => each.idle);
    },
    get written() {
      return writer.written;
    },
    async stop() {
      await Promise.all(controllers.map((each) => each.stop()));
      await events.stop();
      await cache.stop();
    },
  };
}
