import { expect } from 'chai';
import { waitThroughFailures } from '@ambient/testkit/lab';
import { account, deployment, MESHED, PLAIN, program } from '../harness/applications.ts';
import { httpGet, httpGetUntil } from '../harness/ask.ts';
import type { ClusterRun } from '../harness/cluster-run.ts';
import { apply } from '../harness/command.ts';
import { pause } from '../harness/timing.ts';
import { isCaptured, isReady, podsOf, podsThat } from '../harness/pods.ts';

/** What never passes shows within three seconds: the container is restarted. A slow machine may have one that is late. */
const strictly = { periodSeconds: 1, failureThreshold: 3, timeoutSeconds: 5 };
const kinds = {
  http: { httpGet: { path: '/', port: 8080 } },
  tcp: { tcpSocket: { port: 8080 } },
  exec: { exec: { command: ['node', '/app/http-get.ts', '--url', 'http://127.0.0.1:8080/'] } },
} as const;
const PROBED_MS = 8000;

export function probes(_cluster: ClusterRun): void {
  describe('probes of the kubelet', () => {
    it('STRICT is in force', async () => {
      await apply({
        apiVersion: 'security.istio.io/v1',
        kind: 'PeerAuthentication',
        metadata: { name: 'strict', namespace: MESHED },
        spec: { mtls: { mode: 'STRICT' } },
      });
      const url = `http://server.${MESHED}/`;
      await httpGetUntil(PLAIN, 'client', url, 'refused', ({ status }) => status === 0);
      expect(await httpGet(MESHED, 'client', url)).to.include({ status: 200 });
    });

    it(`by ${Object.keys(kinds).join(', ')} pass under STRICT`, async () => {
      await apply(account(MESHED, 'probed'));
      const entries = Object.entries(kinds);
      for (const [kind, probe] of entries) {
        const container = program('http', ['http-constant', '--port', '8080'], {
          startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 60, timeoutSeconds: 5 },
          livenessProbe: { ...probe, ...strictly },
          readinessProbe: { ...probe, ...strictly },
        });
        await apply(deployment(MESHED, `probed-${kind}`, 1, { account: 'probed', containers: [container] }));
      }
      const labels = `app in (${entries.map(([kind]) => `probed-${kind}`).join(',')})`;
      await podsThat(
        'captured and ready',
        MESHED,
        labels,
        entries.length,
        (each) => isCaptured(each) && isReady(each),
      );
      await pause(PROBED_MS);
      const pods = await podsOf(MESHED, labels);
      for (const { metadata, status } of pods)
        expect(status.containerStatuses![0], metadata.name).to.include({ restartCount: 0, ready: true });
    });

    it('tell of an application that has stopped', async () => {
      // The probe reaches the application itself and not only the proxy before it.
      const container = program('echo', ['echo', '--port', '9000'], {
        readinessProbe: { ...kinds.tcp, ...strictly },
      });
      await apply(deployment(MESHED, 'unready', 1, { account: 'probed', containers: [container] }));
      await podsThat('captured', MESHED, 'app=unready', 1, isCaptured);
      await waitThroughFailures(
        async () => ((await podsOf(MESHED, 'app=unready'))[0]?.status.phase === 'Running' ? true : undefined),
        'running container',
      );
      await pause(PROBED_MS / 2);
      expect(isReady((await podsOf(MESHED, 'app=unready'))[0]!)).to.equal(false);
    });
  });
}
