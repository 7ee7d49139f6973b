import { isDeepStrictEqual } from 'node:util';
import { ResourceTable } from '@ambient/xds/server';
import { typeUrl } from '@ambient/wire';
import type { Clock, Logger } from '@ambient/runtime';

import { Driver } from '../cluster/driver.ts';
import { Engine } from '../cluster/engine.ts';
import type { Report } from '../cluster/engine.ts';
import type { Batch } from '../cluster/claims.ts';
import type { KubeClient } from '@ambient/kube';
import { ClusterWatch } from '../watch/cluster-watch.ts';
import { formatTime, kindNames } from '@ambient/kube';
import type { MeshDefaults, MeshSettings } from '../translate/mesh-settings.ts';
import { derivations } from './derivations.ts';
import type { Finding } from './finding.ts';
import { MeshInForce, meshConfigMapName } from './mesh-in-force.ts';
import { ScopedObjects } from './scoped-objects.ts';

export interface DiscoveryOptions {
  readonly client: KubeClient;
  readonly defaults: MeshDefaults;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called for whatever is to be written about an object; only leaders write. */
  readonly onReport: (report: Report<Finding>) => void;
  /** Called once: the tables hold the whole mesh. */
  readonly onReady: () => void;
  /** Changes are gathered for so long before they are derived from, milliseconds. */
  readonly debounceMs?: number;
}

/** From the objects of the cluster to the tables that proxies are served from, kept in step. */
export class Discovery {
  readonly mesh: MeshInForce;
  readonly engine: Engine<Finding>;
  readonly watch: ClusterWatch;
  readonly scope: ScopedObjects;
  /** In the order in which updates go out: policies before the workloads that name them. */
  readonly tables: readonly ResourceTable[];
  readonly #driver: Driver;
  readonly #log: Logger;
  /** What was last said about whom. */
  readonly #warned = new Map<string, Report<Finding>['problems']>();

  constructor(options: DiscoveryOptions) {
    const { client, defaults, clock, log } = options;
    this.#log = log;
    this.mesh = new MeshInForce(defaults, log);
    this.tables = [
      new ResourceTable(typeUrl.authorization, { clock }),
      new ResourceTable(typeUrl.address, { clock }),
    ];
    this.engine = new Engine<Finding>({
      derivations: derivations(this.mesh, () => formatTime(clock.nowMs())),
      log,
      onReport: (report) => {
        this.#warn(report);
        options.onReport(report);
      },
      // The engine has work from its first moment, before there is a driver.
      onWork: () => (this.#driver as Driver | undefined)?.wake(),
    });
    this.#driver = new Driver({
      engine: this.engine,
      clock,
      onBatch: (batch) => this.#publish(batch),
      onFirst: options.onReady,
      ...(options.debounceMs === undefined ? {} : { debounceMs: options.debounceMs }),
    });
    this.scope = new ScopedObjects({
      inner: (kind) => this.engine.target(kind),
      kinds: kindNames,
      mesh: () => this.settings,
    });
    this.watch = new ClusterWatch({
      client,
      target: (kind) => this.scope.target(kind),
      log,
      clock,
      configMap: { namespace: defaults.systemNamespace, name: meshConfigMapName(defaults.revision) },
      onSynced: () => this.#driver.start(),
    });
    this.mesh.onChange(() => {
      this.scope.rescope();
      this.engine.invalidateAll();
    });
  }

  get settings(): MeshSettings {
    return this.mesh.settings;
  }

  start(): void {
    this.watch.start();
  }

  async stop(): Promise<void> {
    this.#driver[Symbol.dispose]();
    await this.watch.stop();
  }

  /**
   * Hands a batch to the tables: new and changed policies, then workloads and services, then the removal of policies. So no
   * client is ever told of a workload whose policy it does not have.
   */
  #publish(batch: Batch): void {
    const policies = batch.get(typeUrl.authorization);
    const addresses = batch.get(typeUrl.address);
    const [authorization, address] = this.tables as [ResourceTable, ResourceTable];
    if (policies !== undefined) authorization.apply(policies.upserts, []);
    if (addresses !== undefined) address.apply(addresses.upserts, addresses.removals);
    if (policies !== undefined && policies.removals.length > 0) authorization.apply([], policies.removals);
  }

  /** One line for each error of an object; what was said is said again only if it has changed. */
  #warn({ derivation, kind, key, problems }: Report<Finding>): void {
    const errors = problems.filter(({ severity }) => severity === 'error');
    const subject = `${derivation} ${key}`;
    const before = this.#warned.get(subject) ?? [];
    if (errors.length === 0) this.#warned.delete(subject);
    else this.#warned.set(subject, errors);
    if (isDeepStrictEqual(errors, before)) return;
    for (const { path, message } of errors)
      this.#log.warn('rejected', {
        object: `${kind ?? 'MeshConfig'} ${key}`.trim(),
        field: path,
        problem: message,
      });
  }
}
