import { expect } from 'chai';
import { MESHED } from '../harness/applications.ts';
import { httpGet, httpGetUntil } from '../harness/ask.ts';
import type { ClusterRun } from '../harness/cluster-run.ts';
import { apply, kubectl } from '../harness/command.ts';

function policy(name: string, action: 'ALLOW' | 'DENY', accounts: readonly string[]): Promise<void> {
  const principals = accounts.map((account) => `cluster.local/ns/${MESHED}/sa/${account}`);
  return apply({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: MESHED },
    spec: {
      selector: { matchLabels: { app: 'server' } },
      action,
      rules: [{ from: [{ source: { principals } }] }],
    },
  });
}

export function policies(cluster: ClusterRun): void {
  const url = `http://server.${MESHED}/`;
  const refused = ({ status }: { status: number }): boolean => status === 0;
  const answered = ({ status }: { status: number }): boolean => status === 200;

  describe('policies', () => {
    it('DENY refuses one identity, and no other', async () => {
      const sums = await cluster.meshedLoad.now();
      await policy('not-client', 'DENY', ['client']);
      await httpGetUntil(MESHED, 'client', url, 'refused', refused);
      await cluster.meshedLoad.now();
      expect((await cluster.meshedLoad.since(sums)).failures).to.deep.equal([]);
      await kubectl(['--namespace', MESHED, 'delete', 'authorizationpolicy', 'not-client']);
      await httpGetUntil(MESHED, 'client', url, 'answered', answered);
    });

    it('ALLOW lets in the identities that it names, and no other', async () => {
      const sums = await cluster.meshedLoad.now();
      await policy('only-load', 'ALLOW', ['load']);
      await httpGetUntil(MESHED, 'client', url, 'refused', refused);
      await policy('only-load', 'ALLOW', ['load', 'client']);
      await httpGetUntil(MESHED, 'client', url, 'answered', answered);
      expect((await cluster.meshedLoad.since(sums)).failures).to.deep.equal([]);
      await kubectl(['--namespace', MESHED, 'delete', 'authorizationpolicy', 'only-load']);
      expect(await httpGet(MESHED, 'client', url)).to.include({ status: 200 });
    });

    it('that mean nothing to this mesh are not admitted', async () => {
      const unusable = {
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: 'unusable', namespace: MESHED },
        spec: { rules: [{ from: [{ source: { ipBlocks: ['10.0.0.0/99'] } }] }] },
      };
      const bad = apply(unusable).then(
        () => 'admitted',
        (error: unknown) => String(error),
      );
      expect(await bad).to.contain('ipBlocks');
    });
  });
}
