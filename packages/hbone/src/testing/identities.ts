import { FakeCa, parseSpiffe } from '@ambient/identity';
import { TlsContext } from '@ambient/tls';

/** Certificate, key and roots of one identity, as `TlsContext` takes them. */
export interface TestMaterial {
  readonly certificateChainPem: readonly string[];
  readonly privateKeyPem: string;
  readonly rootsPem: readonly string[];
}

/** A CA of the test's own, and certificates of it. */
export class TestIdentities {
  readonly #material = new Map<string, TestMaterial>();

  /** @param spiffeIds those whom the test needs; issued here, since it takes a promise */
  static async issue(spiffeIds: readonly string[]): Promise<TestIdentities> {
    const identities = new TestIdentities();
    const ca = await FakeCa.create({ now: Date.now });
    for (const id of spiffeIds) {
      const { certificateChainPem, privateKeyPem, rootsPem } = await ca.issue(parseSpiffe(id)!);
      identities.#material.set(id, { certificateChainPem, privateKeyPem, rootsPem });
    }
    return identities;
  }

  material(spiffeId: string): TestMaterial {
    return this.#material.get(spiffeId)!;
  }

  context(spiffeId: string, role: 'client' | 'server'): TlsContext {
    return new TlsContext({ ...this.material(spiffeId), role, alpn: ['h2'] });
  }
}
