import type { Clock, Logger } from '@ambient/runtime';

import type { Report } from '../cluster/engine.ts';
import type { Certificates } from '../certificates.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { Finding } from '../discovery/finding.ts';
import { ApplyQueue, HttpLeaseApi, LeaderElection } from '@ambient/kube';
import type { KubeClient } from '@ambient/kube';
import type { ControlPlaneSettings } from '../settings/settings.ts';
import { AddressWriter } from './address-writer.ts';
import { StatusWriter } from './status-writer.ts';
import { TrustDistribution } from './trust-distribution.ts';
import { WebhookTrust } from './webhook-trust.ts';

export interface LeaderOptions {
  readonly settings: ControlPlaneSettings;
  readonly client: KubeClient;
  readonly discovery: Discovery;
  readonly certificates: Certificates;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: (leading: boolean) => void;
}

/** The Lease of the replicas of one revision. */
function leaseName(revision: string): string {
  return revision === '' || revision === 'default' ? 'ambient-leader' : `ambient-leader-${revision}`;
}

/** The ValidatingWebhookConfigurations that call a revision: those of istiod's charts, whose names ours keeps. */
function validatorNames(revision: string, namespace: string): string[] {
  return revision === '' || revision === 'default'
    ? ['istiod-default-validator', `istio-validator-${namespace}`]
    : [`istio-validator-${revision}-${namespace}`];
}

/**
 * What only one of the replicas does: writing status, addresses and the trust of namespaces, rotating the CA. All replicas
 * serve, and follow what there is to do, so that the next leader has nothing to catch up with.
 */
export class Leader {
  readonly election: LeaderElection;
  readonly #options: LeaderOptions;
  readonly #queue: ApplyQueue;
  readonly #status: StatusWriter;
  readonly #addresses: AddressWriter | undefined;
  readonly #trust: TrustDistribution;
  readonly #webhook: WebhookTrust;
  readonly #changes: Disposable;
  #leading = false;

  constructor(options: LeaderOptions) {
    const { settings, client, discovery, certificates, clock, log } = options;
    const { store } = discovery.engine;
    this.#options = options;
    this.#queue = new ApplyQueue({
      client,
      log,
      clock,
      perSecond: settings.leader.writesPerSecond,
    });
    this.#status = new StatusWriter(store, this.#queue);
    const { allocateAddresses, ipv4Range, ipv6Range } = settings.discovery;
    this.#addresses = allocateAddresses
      ? new AddressWriter({
          store,
          queue: this.#queue,
          log,
          ranges: [ipv4Range, ipv6Range],
          revision: settings.cluster.revision,
        })
      : undefined;
    this.#trust = new TrustDistribution({
      client,
      queue: this.#queue,
      clock,
      log,
      roots: () => certificates.authorities.state.roots.map(({ pem }) => pem),
      revocations: () => certificates.revocations.listsPem,
    });
    this.#webhook = new WebhookTrust({
      client,
      clock,
      log,
      names: validatorNames(settings.cluster.revision, settings.cluster.namespace),
      roots: () => certificates.authorities.state.roots.map(({ pem }) => pem).join(''),
    });
    this.#changes = certificates.onChange(() => {
      if (!this.#leading) return;
      this.#trust.changed();
      this.#webhook.changed();
    });
    this.election = new LeaderElection({
      api: new HttpLeaseApi(client, settings.cluster.namespace, leaseName(settings.cluster.revision)),
      identity: settings.cluster.podName,
      log,
      clock,
      onStarted: () => this.#start(),
      onStopped: () => this.#stop(),
    });
  }

  /** Something is to be written about an object, or no more. */
  take(report: Report<Finding>): void {
    this.#addresses?.take(report);
    this.#trust.take(report);
    if (this.#leading) this.#status.take(report);
  }

  /** To be called when the mesh is known. */
  start(): void {
    this.election.start();
  }

  async stop(): Promise<void> {
    await this.election.stop();
    this.#changes[Symbol.dispose]();
    this.#queue[Symbol.dispose]();
    await Promise.all([this.#trust.stopLeading(), this.#webhook.stopLeading()]);
  }

  #start(): void {
    this.#leading = true;
    this.#options.onChange(true);
    this.#queue.start();
    // Traffic depends on addresses, while a status only tells.
    this.#addresses?.lead();
    for (const report of this.#options.discovery.engine.reports()) this.#status.take(report);
    this.#trust.lead();
    this.#webhook.lead();
    void this.#options.certificates.lead();
  }

  #stop(): void {
    this.#leading = false;
    this.#options.onChange(false);
    this.#queue.stop();
    this.#addresses?.stopLeading();
    void this.#trust.stopLeading();
    void this.#webhook.stopLeading();
    this.#options.certificates.stopLeading();
  }
}
