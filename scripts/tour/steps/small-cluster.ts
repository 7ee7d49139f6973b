import type { Report, Step } from '../report.ts';
import { FEED_ADDRESS, podName, Scene, spiffeId } from '../scene.ts';
import { alignColumns, alignWithin } from '../style.ts';
import { showWayIn } from '../way-in.ts';
import type { WayIn } from '../way-in.ts';
import { seconds } from './words.ts';

/** Brings everything up. */
export function smallCluster(wayIn: WayIn, onStarted: (scene: Scene) => void): Step {
  return {
    title: 'A cluster of three pods',
    async run(report: Report) {
      report.progress('making network namespaces');
      const started = performance.now();
      const scene = await Scene.start((text) => report.progress(text));
      onStarted(scene);
      const took = seconds(performance.now() - started);
      report.say(
        'Each pod is a network namespace of this machine, joined to the others by a switch. In each runs an application ' +
          'that knows plain HTTP and nothing of a mesh, and a node proxy, ztunnel. A fourth namespace holds a small ' +
          'Kubernetes API, in which the pods are objects, and the control plane of the mesh, which watches that API.',
      );
      await showPods(scene, report);
      report.block(
        alignWithin(
          scene.pods.map((pod) => [
            report.style.bold(podName(pod)),
            report.style.identity(spiffeId(pod)),
            pod.ipv4,
          ]),
          report.width,
        ),
      );
      report.say(
        'Each proxy has shown the control plane the token of its service account, and has its certificate and all that it ' +
          'knows of the cluster from there. Nothing is redirected to the proxies yet.',
      );
      report.check(true, `Kubernetes API, control plane, three pods and three ready proxies in ${took}`);
      await checkDiscovery(scene, report);
      report.say('While the tour runs, another terminal of the same user can look and interfere:');
      showWayIn(report, scene, wayIn, ['get pods -A']);
      return `up in ${took}`;
    },
  };
}

async function showPods(scene: Scene, report: Report): Promise<void> {
  const { operator } = scene.cluster;
  const { style } = report;
  if (operator.kubectl !== undefined) {
    const [head = '', ...lines] = await operator.run(['get', 'pods', '--all-namespaces']);
    report.block([`${style.dim('$')} kubectl get pods --all-namespaces`, style.dim(head), ...lines]);
    return;
  }
  const path = '/api/v1/pods';
  const { items } = await scene.cluster.api.call<{
    readonly items: readonly {
      readonly metadata: { readonly namespace: string; readonly name: string };
      readonly status: { readonly phase: string };
    }[];
  }>({ method: 'GET', path });
  const rows = items.map(({ metadata, status }) => [metadata.namespace, metadata.name, status.phase]);
  report.block([`${style.dim('GET')} ${path} (no kubectl on PATH)`, ...alignColumns(rows)]);
}

async function checkDiscovery(scene: Scene, report: Report): Promise<void> {
  const meshes = await Promise.all(scene.pods.map((pod) => scene.knownMesh(pod)));
  const names = [...scene.pods.map(({ name }) => name), 'control-plane'];
  const complete = meshes.every(
    ({ workloads, services }) =>
      names.every((name) => workloads.some((workload) => workload.name === name)) &&
      services.some(({ hostname }) => hostname === 'catalog.shop.svc.cluster.local'),
  );
  report.check(
    complete,
    `every proxy knows by discovery (xDS over TLS) the ${names.length} pods, and the Service catalog at ${FEED_ADDRESS}`,
  );
}
