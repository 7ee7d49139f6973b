import { expect } from 'chai';
import type { ConnectionReport, EndedConnectionReport } from '../worker/messages.ts';
import type { Collected } from '../workers/data-workers.ts';
import { WorkerReports } from './worker-reports.ts';

const connection = (protocol: ConnectionReport['protocol']) => ({ protocol }) as ConnectionReport;
const endedConnection = (endedAtMs: number) => ({ endedAtMs }) as EndedConnectionReport;

/** Reports of two workers, one of which had connections that have ended. */
function setup() {
  const answers = [
    { connections: [connection('HBONE')], ended: [endedConnection(1), endedConnection(2)] },
    { connections: [connection('plaintext')] },
  ] as unknown as readonly Collected[];
  const asked: string[] = [];
  const absorbed: (readonly Collected[])[] = [];
  const reports = new WorkerReports({
    collect(connections) {
      asked.push(connections);
      return Promise.resolve(answers);
    },
    absorb: (collected) => absorbed.push(collected),
    locate: (connections) =>
      connections.map((each) => ({ ...each, workload: { name: 'a', namespace: 'n' } })),
  });
  return { answers, asked, absorbed, reports };
}

describe('WorkerReports', () => {
  it('gives the connections of all workers, with their pods where operators see them', async () => {
    const { reports, asked } = setup();
    expect((await reports.live()).map(({ protocol }) => protocol)).to.deep.equal(['HBONE', 'plaintext']);
    expect((await reports.connections()).map(({ workload }) => workload.name)).to.deep.equal(['a', 'a']);
    expect(asked).to.deep.equal(['live', 'live']);
  });

  it('takes over the counts of every report, which no worker tells twice', async () => {
    const { reports, absorbed, answers } = setup();
    await reports.live();
    await reports.connections();
    await reports.watchConnections();
    expect(absorbed).to.deep.equal([answers, answers, answers]);
  });

  it('keeps those that have ended, for all who watch', async () => {
    const { reports, asked } = setup();
    const first = await reports.watchConnections();
    expect(first.live).to.have.length(2);
    expect(first.ended.since(0).connections.map(({ endedAtMs }) => endedAtMs)).to.deep.equal([1, 2]);
    const second = await reports.watchConnections();
    expect(second.ended.since(2).connections).to.have.length(2);
    expect(asked).to.deep.equal(['ended-too', 'ended-too']);
  });
});
