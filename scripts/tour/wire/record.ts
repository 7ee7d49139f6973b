import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterNode } from '@ambient/lab/network';
import { runInNamespace } from '@ambient/lab/network';
import { appCommand } from '../apps/command.ts';
import { AppProcess } from '../cluster/app-process.ts';
import type { Scene } from '../scene.ts';
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
/** The node's interface towards the others. */
const UPLINK = 'eth0';

/**
 * Records what leaves and enters the first node while `act` runs: the link between the nodes.
 *
 * @throws RecordingError, AppError, LabNetworkError
 */
export async function recordLink<T>(
  { cluster, directory }: Pick<Scene, 'cluster' | 'directory'>,
  act: () => Promise<T>,
): Promise<Recording<T>> {
  const [node, other] = cluster.network.nodes as readonly [ClusterNode, ClusterNode];
  const file = join(directory, `link-${Date.now()}.pcap`);
  const recorder = new AppProcess(`the recording of ${node.name}`, inNode(node, file));
  await recorder.waitForLine(/^recording$/);
  const result = await act();
  const mark = appCommand('send-datagram', { host: other.addresses[0]!, port: DISCARD_PORT, text: END_MARK });
  await runInNamespace(node.namespace, 'mark the end of a recording', mark as [string, ...string[]]);
  if ((await recorder.end()) !== 0)
    throw new RecordingError(`the link could not be recorded:\n${recorder.lines.join('\n')}`);
  const packets = readFileSync(file);
  rmSync(file);
  const segments = readSegments(packets);
  return { result, segments, streams: joinStreams(segments), packets };
}

function inNode({ pid }: ClusterNode, file: string) {
  const command = appCommand('record-link', { interface: UPLINK, file, until: END_MARK });
  const argv = ['--pdeathsig=KILL', 'nsenter', '--target', String(pid), '--net', '--', ...command];
  return spawn('setpriv', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What of a recording went between two addresses. */
export function between(
  { segments, streams }: Pick<Recording<unknown>, 'segments' | 'streams'>,
  one: string,
  other: string,
): { readonly segments: readonly Segment[]; readonly streams: readonly ByteStream[] } {
  const isBetween = ({ source, destination }: Pick<Segment, 'source' | 'destination'>): boolean =>
    (source === one && destination === other) || (source === other && destination === one);
  return { segments: segments.filter(isBetween), streams: streams.filter(isBetween) };
}
