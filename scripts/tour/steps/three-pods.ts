import type { Report, Step } from '../report.ts';
import { podName, Scene, spiffeId } from '../scene.ts';
import { alignWithin } from '../style.ts';
import { seconds } from './words.ts';

/** Brings everything up. */
export function threePods(onStarted: (scene: Scene) => void): Step {
  return {
    title: 'Three pods',
    async run(report: Report) {
      report.progress('starting three pods, each with its proxy');
      const started = performance.now();
      const scene = await Scene.start();
      onStarted(scene);
      const took = seconds(performance.now() - started);
      const { style } = report;
      report.say(
        'Each pod is a network namespace of this machine, joined to the others by a switch. In each runs an application ' +
          'that knows plain HTTP and nothing of a mesh, and a node proxy, ztunnel, with a certificate for that pod. ' +
          'Nothing is redirected to the proxies yet.',
      );
      report.block(
        alignWithin(
          scene.pods.map((pod) => [style.bold(podName(pod)), style.identity(spiffeId(pod)), pod.ipv4]),
          report.width,
        ),
      );
      report.check(true, `three pods and three ready proxies in ${took}`);
      return `up in ${took}`;
    },
  };
}
