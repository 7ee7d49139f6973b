import { KubeConnection } from '@ambient/kube';
import { environmentUnder } from '@ambient/runtime';
import { runUntilSignal } from '@ambient/runtime/program';

import { startControlPlane } from './app.ts';
import type { Overrides } from './command-line.ts';
import { loadControlPlaneSettings } from './settings/settings.ts';

/** An orderly end that takes longer is cut short, milliseconds. */
const endPatienceMs = 10_000;

/**
 * Runs the control plane until a signal ends it.
 *
 * @param overrides settings by name that go before the environment
 * @returns the exit code: 0 after an orderly end, 1 with a message on standard error or in the log
 */
export function runControlPlane(overrides: Overrides): Promise<number> {
  return runUntilSignal({
    name: 'control-plane',
    loadSettings: () => loadControlPlaneSettings(environmentUnder(overrides)),
    endPatienceMs,
    run: async ({ settings, log }, end) => {
      const { kubeconfig } = settings.cluster;
      using connection =
        kubeconfig === undefined ? KubeConnection.inCluster() : KubeConnection.fromFile(kubeconfig);
      // A start that waits for the API server must not outlast the signal that ends it: nothing is served yet.
      const controlPlane = await Promise.race([
        startControlPlane({ settings, connection, log }),
        end.asked.then(() => undefined),
      ]);
      await end.asked;
      await controlPlane?.stop();
    },
  });
}
