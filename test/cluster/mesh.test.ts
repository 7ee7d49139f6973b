/**
 * The whole mesh on the cluster that KUBECONFIG names, in the order of its life there: install, capture, policies, DNS,
 * upgrades, faults, uninstall. Each part builds on those before it. docs/install.md says what the cluster needs.
 */
import { capture } from './parts/capture.ts';
import { dns } from './parts/dns.ts';
import { faults } from './parts/faults.ts';
import { ClusterRun } from './harness/cluster-run.ts';
import { installation } from './parts/installation.ts';
import { policies } from './parts/policies.ts';
import { probes } from './parts/probes.ts';
import { removal } from './parts/removal.ts';
import { upgrades } from './parts/upgrades.ts';

describe('the mesh on a cluster', function () {
  this.timeout(180_000);
  // What comes later means nothing without what comes before.
  this.bail(true);
  const cluster = new ClusterRun();

  before(() => cluster.open());
  after(() => cluster.close());

  for (const part of [installation, capture, probes, policies, dns, upgrades, faults, removal]) part(cluster);
});
