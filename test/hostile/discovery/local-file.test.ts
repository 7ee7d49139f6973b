import { expect } from 'chai';
import { renderLocalMesh } from '../../netns/harness/index.ts';
import type { LogEntry, Pod } from '../../netns/harness/index.ts';
import { useRig } from '../peers/rig.ts';

describe('a local mesh file that is wrong', () => {
  const rig = useRig();
  const pods = (): Pod[] => [rig().client, rig().server];

  /** Writes the file, and waits until both proxies have said `message` once more. @returns these lines */
  async function told(message: RegExp, text: string): Promise<LogEntry[]> {
    const matching = (pod: Pod): LogEntry[] =>
      pod.log().filter((entry) => entry['scope'] === 'xds' && message.test(String(entry['message'])));
    const before = pods().map((pod) => matching(pod).length);
    rig().mesh.writeMesh(text);
    return Promise.all(
      pods().map((pod, index) =>
        pod.proxy.waitFor(() => matching(pod)[before[index]!], `news of the mesh file (${String(message)})`),
      ),
    );
  }

  afterEach(async () => {
    // Each test breaks the file in another way; this one is good again.
    await told(/^local mesh loaded/, `# restored after ${++restored}\n${renderLocalMesh(rig().mesh.mesh)}`);
  });
  let restored = 0;

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['is no YAML', 'workloads: [{uid: "', /./],
    ['is empty of meaning: a list at the top', '- a\n- b\n', /./],
    ['has a word where the list of workloads should be', 'workloads: many\n', /workloads/],
  ];
  for (const [name, text, error] of broken)
    it(`${name}: reported, and the last good state carries traffic`, async () => {
      for (const line of await told(/^local mesh document not applied, the last good state stays/, text))
        expect(line)
          .to.include({ level: 'error', code: 'LOCAL_XDS_MALFORMED' })
          .and.property('error')
          .match(error);
      await rig().goodRound();
    });

  it('has one bad entry: it is rejected by its name, its previous version stays, and new neighbours count', async () => {
    const { workloads, services, policies } = rig().mesh.mesh;
    const [client, server] = workloads;
    const bad = { ...server!, workloadIps: ['10.77.0.999'] };
    const neighbour = {
      ...server!,
      uid: 'Kubernetes//Pod/default/neighbour',
      name: 'neighbour',
      workloadIps: ['10.77.0.99'],
    };
    const text = renderLocalMesh({ workloads: [client!, bad, neighbour], services, policies });
    for (const line of await told(/^local mesh entry rejected, its previous version stays in force/, text)) {
      expect(String(line['resource'])).to.include('server');
      expect(String(line['error'])).to.include('10.77.0.999');
    }
    await rig().goodRound();
    for (const pod of pods())
      expect((await pod.admin('/config_dump')).body).to.include('Pod/default/neighbour');
  });

  it('names one workload twice: the first counts, and the second is told of', async () => {
    const { workloads, services, policies } = rig().mesh.mesh;
    const usurper = { ...rig().server.workload, workloadIps: ['10.77.0.99'] };
    const text = renderLocalMesh({ workloads: [...workloads, usurper], services, policies });
    for (const line of await told(/^local mesh entry rejected/, text))
      expect(String(line['error'])).to.match(/same key as workloads\[1\], which is kept/);
    await rig().goodRound();
  });
});
