import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetnsLab } from '@ambient/testkit/lab';
import type { Pod } from '../../../test/netns/harness/index.ts';
import { appCommand } from '../apps/command.ts';
import { joinStreams, readSegments, RecordingError } from './pcap.ts';
import type { ByteStream, Segment } from './pcap.ts';

/** Everything that crossed a link while something was done. */
export interface Recording<T> {
  readonly result: T;
  readonly segments: readonly Segment[];
  readonly streams: readonly ByteStream[];
  /** The file itself: every packet whole. */
  readonly packets: Buffer;
}

/** A datagram with this text says that everything before it has been recorded. */
const END_MARK = 'end of the recording';
const DISCARD_PORT = 9;
const DEADLINE_MS = 10_000;

/**
 * Records the link between a pod and the switch that joins the pods, from the switch's side, while `act` runs.
 *
 * @param port the switch's interface towards the pod
 * @throws RecordingError, NetnsError
 */
export async function recordLink<T>(
  lab: NetnsLab,
  port: string,
  pods: { readonly from: Pod; readonly to: Pod },
  act: () => Promise<T>,
): Promise<Recording<T>> {
  const bridge = lab.namespaces.find(({ name }) => name === 'bridge');
  if (bridge === undefined)
    throw new RecordingError('the pods are not joined by a switch, so there is no link to record');
  const file = join(lab.directory, `${port}-${Date.now()}.pcap`);
  const recorder = await bridge.spawn(appCommand('record-link', { interface: port, file, until: END_MARK }), {
    name: 'record-link',
  });
  await recorder.waitForLine(/^recording$/);
  const result = await act();
  await pods.from.netns.must(
    appCommand('send-datagram', { host: pods.to.ipv4, port: DISCARD_PORT, text: END_MARK }),
    { name: 'send-datagram' },
  );
  const ended = (): number | null | undefined => recorder.exit?.code;
  const code = await recorder.waitFor(ended, 'end of the recording', DEADLINE_MS);
  if (code !== 0) throw new RecordingError(`the link could not be recorded:\n${recorder.lines.join('\n')}`);
  const packets = readFileSync(file);
  const segments = readSegments(packets);
  return { result, segments, streams: joinStreams(segments), packets };
}
