import { damagedBytes, fuzzBudget } from '@ambient/testkit';
import { istio } from '@ambient/wire';
import { expect } from 'chai';
import fc from 'fast-check';
import { AgentMessageError } from './errors.ts';
import { decodeRequest, encodeReply, maxPacketBytes } from './zds-messages.ts';
import type { AgentPacket, SessionPods } from './zds-session.ts';
import { ZdsSession } from './zds-session.ts';

const { WorkloadRequest, WorkloadResponse } = istio.workload.zds;

const requests = fc.oneof(
  fc
    .record({
      uid: fc.string(),
      workloadInfo: fc.option(
        fc.record({ name: fc.string(), namespace: fc.string(), serviceAccount: fc.string() }),
      ),
    })
    .map((add) => WorkloadRequest.encode({ add }).finish()),
  fc.string().map((uid) => WorkloadRequest.encode({ keep: { uid } }).finish()),
  fc.string().map((uid) => WorkloadRequest.encode({ del: { uid } }).finish()),
  fc.constant(WorkloadRequest.encode({ snapshotSent: {} }).finish()),
);

describe('what a node agent may say', () => {
  it('[fuzz] is understood, or refused by name', () => {
    const property = fc.property(damagedBytes(requests), (bytes) => {
      try {
        expect(decodeRequest(bytes).kind).to.be.oneOf(['add', 'keep', 'del', 'snapshot-sent']);
      } catch (error) {
        if (!(error instanceof AgentMessageError)) throw error;
      }
    });
    fc.assert(property, fuzzBudget());
  });

  it('[fuzz] in any order leaves a session that knows whether its snapshot has ended', async () => {
    const property = fc.asyncProperty(fc.array(requests, { maxLength: 20 }), async (packets) => {
      const pods: SessionPods = {
        settled: true,
        add: () => Promise.reject(new Error('no descriptor comes in this test')),
        remove: () => undefined,
        retain: () => undefined,
        dropPending: () => undefined,
      };
      const session = new ZdsSession(pods);
      let ended = false;
      for (const bytes of packets) {
        const packet: AgentPacket = { bytes, descriptor: undefined, truncated: false };
        const { kind } = await session.handle(packet);
        // Without a descriptor every addition is a mistake of the agent, of one kind or the other.
        const isAdd = decodeRequest(bytes).kind === 'add';
        expect(kind === 'ok').equal(!isAdd && kind !== 'fatal');
        if (decodeRequest(bytes).kind === 'snapshot-sent') {
          expect(kind).equal(ended ? 'fatal' : 'ok');
          ended = true;
        }
        expect(session.settled).equal(ended);
      }
    });
    await fc.assert(property, fuzzBudget());
  });

  it('[fuzz] is answered in one packet, however long the reason', () => {
    const property = fc.property(fc.string({ maxLength: 1500, unit: 'binary' }), (reason) => {
      const bytes = encodeReply(reason);
      expect(bytes.length).at.most(maxPacketBytes);
      expect(WorkloadResponse.decode(bytes).ack).not.equal(null);
    });
    fc.assert(property, fuzzBudget());
  });
});
