import type { Report, Step } from '../report.ts';
import { CATALOG, Scene } from '../scene.ts';
import type { SceneOptions } from '../scene.ts';
import { alignColumns, alignWithin } from '../style.ts';
import { showWayIn } from '../way-in.ts';
import { seconds } from './words.ts';

/** Brings everything up. */
export function twoNodes(options: SceneOptions, onStarted: (scene: Scene) => Promise<void>): Step {
  return {
    title: 'A cluster of two nodes',
    async run(report: Report) {
      const startedMs = performance.now();
      const scene = await Scene.start(options, (text) => report.progress(text));
      await onStarted(scene);
      const took = seconds(performance.now() - startedMs);
      report.say(
        'Nodes and pods are network namespaces and processes of this machine. A small Kubernetes API has their objects, its ' +
          'controllers and kubelets make pods of them; the mesh is installed from its charts: a control plane, and on each ' +
          'node an agent with its CNI plugin, and a node proxy, ztunnel.',
      );
      await showPods(scene, report);
      report.block(
        alignWithin(
          scene.pods.map((pod) => [
            report.style.bold(pod.title),
            report.style.identity(pod.identity),
            pod.ip,
            pod.node,
          ]),
          report.width,
        ),
      );
      report.say(
        'These three are what this is about: a shop of two, and a guest that has no business there. They know plain HTTP and ' +
          'nothing of a mesh, and the mesh lets them alone: no namespace is labelled for it yet.',
      );
      report.check(
        (await scene.current()).every(({ status }) =>
          status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
        ),
        `API, controllers, two nodes, DNS, the mesh and three pods are ready in ${took}`,
      );
      await checkDiscovery(scene, report);
      if (options.publicUrl !== undefined) {
        report.say('While the tour runs, another terminal of the same user can look and interfere:');
        showWayIn(report, scene, ['get pods -A']);
      }
      return `up in ${took}`;
    },
  };
}

async function showPods({ operator, cluster }: Scene, report: Report): Promise<void> {
  const { style } = report;
  const path = '/api/v1/pods';
  const { how, lines } = await operator.show(['get', 'pods', '--all-namespaces', '--output', 'wide'], {
    path,
    lines: async () => {
      const { items } = await cluster.client.request<{
        readonly items: readonly {
          readonly metadata: { readonly namespace: string; readonly name: string };
          readonly spec: { readonly nodeName?: string };
          readonly status: { readonly phase: string };
        }[];
      }>({ path });
      return alignColumns([
        ['NAMESPACE', 'NAME', 'STATUS', 'NODE'],
        ...items.map(({ metadata, spec, status }) => [
          metadata.namespace,
          metadata.name,
          status.phase,
          spec.nodeName ?? '',
        ]),
      ]);
    },
  });
  const [head = '', ...rest] = lines.map((line) => line.replace(/ +<none> +<none>$| +NOMINATED.*$/, ''));
  report.block([style.dim(how), style.dim(head), ...rest]);
}

async function checkDiscovery(scene: Scene, report: Report): Promise<void> {
  const names = scene.pods.map(({ name }) => name);
  const complete = (await scene.knownMeshes()).every(
    ({ workloads, services }) =>
      names.every((name) => workloads.some((workload) => workload.name === name)) &&
      services.some(({ hostname }) => hostname === `${CATALOG}.svc.cluster.local`),
  );
  report.check(
    complete,
    'both node proxies know by discovery (xDS over TLS) the pods, and the Service catalog',
  );
}
