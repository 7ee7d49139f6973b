import { waitFor } from '@ambient/testkit/lab';
import { reaches } from '../../netns/function/call.ts';
import type { MeshClusterOptions } from './mesh-cluster.ts';
import { ECHO_PORT, MeshCluster, SHOP } from './mesh-cluster.ts';
import { strict } from './objects.ts';
import type { MeshPod } from './pods.ts';

/** The namespace of pods that are not in the mesh. */
export const OUTSIDE = 'outside';

/** A cluster under STRICT, whose owner disposes `mesh`. */
export interface StrictMesh {
  readonly mesh: MeshCluster;
  /** On node-1. */
  readonly client: MeshPod;
  /** On node-2. */
  readonly far: MeshPod;
  /** On node-1, outside of the mesh: reaches nobody inside. */
  readonly outsider: MeshPod;
}

/** Resolves when the mesh carries between its two pods, and keeps the third one out. */
export async function startStrictMesh(options: MeshClusterOptions): Promise<StrictMesh> {
  await using starting = new AsyncDisposableStack();
  const mesh = starting.use(await MeshCluster.start(options));
  await mesh.namespace(OUTSIDE);
  await mesh.apply(strict());
  await mesh.enrol(SHOP);
  const [client, far, outsider] = await Promise.all([
    mesh.run('client', { node: 'node-1' }),
    mesh.run('far', { node: 'node-2' }),
    mesh.run('outsider', { node: 'node-1', namespace: OUTSIDE }),
  ]);
  await waitFor(() => reaches(client, far.ipv4, ECHO_PORT), 'the mesh to carry');
  await waitFor(async () => !(await reaches(outsider, far.ipv4, ECHO_PORT)), 'STRICT to hold');
  starting.move();
  return { mesh, client, far, outsider };
}
