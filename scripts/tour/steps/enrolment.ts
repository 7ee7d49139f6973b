import { MESH_NAMESPACE } from '@ambient/lab/cluster';
import type { HttpAnswer, LogEntry } from '../../../test/netns/harness/index.ts';
import { logEntries } from '../../../test/netns/harness/index.ts';
import { PodLogs } from '../cluster/pod-logs.ts';
import type { PodObject } from '../cluster/tour-pod.ts';
import type { Report, Step } from '../report.ts';
import { manifestPath, PRICE_PORT, until } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { between, recordLink } from '../wire/record.ts';
import type { Recording } from '../wire/record.ts';
import { checkNothingReadable, checkOnlyTunnel, checkSeenAs, isAnswer, showRequest } from './requests.ts';
import { logWords, seconds } from './words.ts';

const ERRAND = 'errand';

/** The running pods come into the mesh by one label. */
export function oneLabel(scene: () => Scene, onRecorded: (recording: Recording<HttpAnswer>) => void): Step {
  return { title: 'Into the mesh, by one label', run: (report) => enrol(scene(), report, onRecorded) };
}

/** What becomes of pods that start in the mesh, and of those that leave it. */
export function comingAndGoing(scene: () => Scene): readonly Step[] {
  return [
    { title: 'A pod that starts in the mesh', run: (report) => newPod(scene(), report) },
    { title: 'Out of the mesh, and back', run: (report) => release(scene(), report) },
  ];
}

async function enrol(
  scene: Scene,
  report: Report,
  onRecorded: (recording: Recording<HttpAnswer>) => void,
): Promise<string> {
  const { checkout, catalog } = scene;
  report.progress('labelling the namespace');
  const before = await scene.current();
  const { shown, tookMs } = await scene.setMesh(['shop'], true);
  report.progress('recording the link between the nodes');
  const recording = await recordLink(scene, () => scene.askPrice(checkout));
  onRecorded(recording);
  report.say('The namespace shop is labelled for the mesh. The same request again:');
  report.block([shown]);
  showRequest(report, recording.result);
  report.check(
    isSameLife(before, await scene.current()),
    `the agents had captured its running pods ${seconds(tookMs)} later, and restarted nothing`,
  );
  report.check(isAnswer(recording.result), 'the catalog answered the same');
  checkSeenAs(report, recording.result, checkout);
  report.say('The ztunnels of both nodes wrote a line about it (shortened), and both name both identities:');
  const target = `${catalog.ip}:${PRICE_PORT}`;
  const lines: LogEntry[] = [];
  for (const [pod, direction] of [
    [checkout, 'outbound'],
    [catalog, 'inbound'],
  ] as const) {
    const proxy = scene.proxyOf(pod);
    const match = { direction, 'dst.hbone_addr': target, 'src.workload': checkout.name };
    await proxy.waitForAccess(match);
    const { how, lines: text } = await scene.operator.show(
      ['logs', '--namespace', MESH_NAMESPACE, proxy.pod],
      {
        path: PodLogs.path(MESH_NAMESPACE, proxy.pod),
        lines: async () => (await proxy.log()).map((each) => JSON.stringify(each)),
      },
    );
    const entry = logEntries({ lines: text }).find(
      (each) =>
        each['scope'] === 'access' && each['direction'] === direction && each['dst.hbone_addr'] === target,
    );
    if (entry === undefined) continue;
    lines.push(entry);
    report.hanging(report.style.dim(how), logWords(entry, report.style));
  }
  report.check(
    lines.length === 2 &&
      lines.every(
        (entry) =>
          entry['src.identity'] === checkout.identity &&
          entry['dst.identity'] === catalog.identity &&
          entry['error'] === undefined,
      ),
    'client and server are who they should be, each proven by its certificate',
  );
  return `captured in ${seconds(tookMs)}, without a restart`;
}

async function newPod(scene: Scene, report: Report): Promise<string> {
  const { catalog, operator, cluster } = scene;
  report.progress('starting a pod');
  const path = `/api/v1/namespaces/shop/pods/${ERRAND}`;
  const recording = await recordLink(scene, async () => {
    await operator.apply(manifestPath(ERRAND));
    let pod: PodObject | undefined;
    await until('the new pod did not come to its end', async () => {
      pod = await cluster.client.request<PodObject>({ path });
      return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    });
    return pod!;
  });
  const pod = recording.result;
  const shown = await operator.show(['logs', '--namespace', 'shop', ERRAND], {
    path: `${path}/log`,
    lines: () => scene.logs.lines('shop', ERRAND),
  });
  report.say(
    'A pod whose only program asks the catalog as the first thing that it does, and ends. The runtime of the node calls the CNI ' +
      'plugin before it starts any program of a pod, and the plugin waits until the agent has captured it.',
  );
  report.block([scene.describeChange('apply', ERRAND), report.style.dim(shown.how)]);
  const answer = logAnswer(shown.lines);
  if (answer !== undefined) showRequest(report, answer);
  report.check(answer !== undefined && isAnswer(answer), 'it was answered at once');
  const entry = await scene.proxyOf(catalog).waitForAccess({
    direction: 'inbound',
    'src.workload': ERRAND,
    'dst.hbone_addr': `${catalog.ip}:${PRICE_PORT}`,
  });
  report.check(
    entry['src.identity'] === scene.checkout.identity,
    'the catalog’s ztunnel knew it by the identity of its service account',
  );
  checkOnlyTunnel(report, between(recording, pod.status?.podIP ?? '', catalog.ip).segments);
  checkNothingReadable(report, recording.packets);
  await operator.remove(manifestPath(ERRAND));
  return 'captured before its first packet';
}

async function release(scene: Scene, report: Report): Promise<string> {
  const { checkout, catalog } = scene;
  report.progress('taking the label away');
  const before = await scene.current();
  const out = await scene.setMesh(['shop'], false);
  const recording = await recordLink(scene, () => scene.askPrice(checkout));
  report.block([out.shown]);
  showRequest(report, recording.result);
  const { segments } = between(recording, checkout.ip, catalog.ip);
  report.check(
    isAnswer(recording.result) &&
      segments.length > 0 &&
      segments.every(({ sourcePort, destinationPort }) => [sourcePort, destinationPort].includes(PRICE_PORT)),
    `the pods were released ${seconds(out.tookMs)} later: the request took the plain way to port ${PRICE_PORT}`,
  );
  report.progress('setting the label again');
  const back = await scene.setMesh(['shop'], true);
  const again = await scene.askPrice(checkout);
  report.block([back.shown]);
  report.check(
    isAnswer(again) && isSameLife(before, await scene.current()),
    `captured again ${seconds(back.tookMs)} later; nothing was restarted on the way out or in`,
  );
  return `released in ${seconds(out.tookMs)}, captured in ${seconds(back.tookMs)}`;
}

/** What `http-get` in the pod said. */
function logAnswer(lines: readonly string[]): HttpAnswer | undefined {
  const line = lines.findLast((each) => each.startsWith('{'));
  return line === undefined ? undefined : (JSON.parse(line) as HttpAnswer);
}

/** Whether all are the same pods, with the same containers in their first run. */
function isSameLife(before: readonly PodObject[], after: readonly PodObject[]): boolean {
  const life = (pods: readonly PodObject[]): string =>
    JSON.stringify(
      pods.map(({ metadata, status }) => [
        metadata.uid,
        status?.containerStatuses?.map(({ containerID, restartCount }) => [containerID, restartCount]),
      ]),
    );
  return before.length > 0 && life(before) === life(after);
}
