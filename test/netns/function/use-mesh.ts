import { TestMesh } from '../harness/index.ts';
import type { LocalPolicy, MeshSpec } from '../harness/index.ts';
import { admin } from './call.ts';

/**
 * Registers what surrounds the tests of a suite: a mesh before them, its end and the proof that nothing is left after them.
 *
 * @param prepare starts what all tests need
 * @param command shell words that start a proxy, instead of the usual
 */
export function useMesh(
  spec: MeshSpec,
  prepare: (mesh: TestMesh) => Promise<unknown> = () => Promise.resolve(),
  command?: string,
): () => TestMesh {
  let mesh: TestMesh | undefined;
  before(async () => {
    mesh = await startWith(command, spec);
    await prepare(mesh);
  });
  after(async () => {
    if (mesh === undefined) return;
    try {
      await mesh.stop();
    } finally {
      await mesh.destroy();
    }
  });
  return () => mesh!;
}

async function startWith(command: string | undefined, spec: MeshSpec): Promise<TestMesh> {
  const usual = process.env['AMBIENT_TEST_ZTUNNEL'];
  if (command !== undefined) process.env['AMBIENT_TEST_ZTUNNEL'] = command;
  try {
    return await TestMesh.start(spec);
  } finally {
    if (usual === undefined) delete process.env['AMBIENT_TEST_ZTUNNEL'];
    else process.env['AMBIENT_TEST_ZTUNNEL'] = usual;
  }
}

const POLICY_DEADLINE_MS = 5000;

/** Replaces the policies, which need names that no earlier ones had, and resolves when every worker goes by them. */
export async function enforce(mesh: TestMesh, policies: readonly LocalPolicy[]): Promise<void> {
  mesh.setPolicies(policies);
  const wanted = policies.map(({ name }) => name).toSorted();
  const proxied = Object.values(mesh.pods).filter((pod) => pod.hasProxy);
  await Promise.all(
    proxied.map(async (pod) => {
      const deadline = performance.now() + POLICY_DEADLINE_MS;
      for (;;) {
        const dump = (await admin(pod, 'GET', '/config_dump')).json() as { policies: { name: string }[] };
        const found = dump.policies.map(({ name }) => name).toSorted();
        if (found.join() === wanted.join()) break;
        if (performance.now() > deadline)
          throw new Error(`${pod.name} has the policies ${found.join()}, not ${wanted.join()}`);
      }
      // Workers take messages in order: one that answers this question has taken the policies before.
      await admin(pod, 'GET', '/config_dump');
    }),
  );
}
