import type { Manifest } from './command.ts';
import { apply, kubectl } from './command.ts';
import { applications, MESHED, namespace, PLAIN } from './applications.ts';
import { printFigures } from './figures.ts';
import type { LoadSums } from './load.ts';
import { Load } from './load.ts';
import { parts, SYSTEM, uninstall } from './mesh.ts';
import type { Traces } from './node-shell.ts';
import { NodeShell } from './node-shell.ts';
import { isReady, podsThat } from './pods.ts';

const OWN_LABEL = 'ambient-test';

/** What the tests of a run share: a node to look at, applications in the mesh and beside it, each under load. */
export class ClusterRun {
  readonly meshedLoad = new Load(MESHED);
  readonly plainLoad = new Load(PLAIN);
  /** Of the node, before the mesh. */
  traces: Traces = [];
  networkConfig = '';
  /** Of the loads, when all applications were ready. */
  readonly atFirst = new Map<Load, LoadSums>();
  #node: NodeShell | undefined;

  get node(): NodeShell {
    return this.#node!;
  }

  /** Starts the applications, and takes away what a run before has left. @throws where a mesh is that is not ours */
  async open(): Promise<void> {
    await this.#clear();
    await apply({ ...namespace(SYSTEM, { [OWN_LABEL]: 'true' }) });
    this.#node = await NodeShell.open();
    this.traces = await this.node.traces();
    this.networkConfig = (await this.node.networkConfig()).text;
    await apply(
      ...[MESHED, PLAIN].flatMap((space): Manifest[] => [namespace(space), ...applications(space)]),
    );
    for (const space of [MESHED, PLAIN])
      for (const [name, count] of [
        ['server', 2],
        ['client', 1],
        ['load', 1],
      ] as const)
        await podsThat('ready', space, `app=${name}`, count, isReady);
    for (const load of [this.meshedLoad, this.plainLoad]) this.atFirst.set(load, await load.answering());
  }

  async close(): Promise<void> {
    printFigures();
    await this.#clear();
  }

  async #clear(): Promise<void> {
    const present = await kubectl(['get', 'namespace', SYSTEM, '--ignore-not-found', '--output', 'json']);
    if (present !== '' && !present.includes(`"${OWN_LABEL}": "true"`))
      throw new Error(
        `namespace ${SYSTEM} exists and is not of these tests: they need a cluster of their own, without a mesh`,
      );
    await kubectl(['label', 'namespace', MESHED, 'istio.io/dataplane-mode-'], {}).catch(() => undefined);
    if (present !== '') for (const { chart } of parts.toReversed()) await uninstall(chart);
    await kubectl(
      [
        'delete',
        'namespace',
        '--ignore-not-found',
        '--timeout=150s',
        MESHED,
        PLAIN,
        'ambient-test-node',
        SYSTEM,
      ],
      { timeoutMs: 170_000 },
    );
  }
}
