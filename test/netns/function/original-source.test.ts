import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import type { Pod } from '../harness/index.ts';
import { fetchFrom, reaches } from './call.ts';
import { useMesh } from './use-mesh.ts';

const PORT = 8080;
const ztunnel = fileURLToPath(new URL('../../../packages/ztunnel/src/main.ts', import.meta.url));
const WITHOUT_PRIVILEGE = `setpriv --bounding-set=-net_admin,-net_raw ${process.execPath} ${ztunnel}`;
const families = ['ipv4', 'ipv6'] as const;

/** The address of the client as the server's application sees it. */
async function seenBy(server: Pod, client: Pod, family: (typeof families)[number]): Promise<string> {
  const answer = await fetchFrom(client.netns, server[family], PORT);
  expect(answer.status).to.equal(200);
  return String(answer.headers['x-peer']).replace('::ffff:', '');
}

describe('the address that an application sees', () => {
  const mesh = useMesh(
    {
      pods: {
        client: {},
        plain: { proxy: false },
        shown: { originalSource: true },
        hidden: { originalSource: false },
        unset: { env: { ENABLE_ORIG_SRC: '' }, originalSource: true },
      },
    },
    ({ pods }) =>
      Promise.all(
        ['shown', 'hidden', 'unset'].map((name) => pods[name]!.serve('http-constant', { port: PORT })),
      ),
  );

  for (const family of families)
    for (const [name, how] of [
      ['client', 'over HBONE'],
      ['plain', 'in plaintext'],
    ] as const) {
      it(`is the client's with ENABLE_ORIG_SRC=true, ${family} ${how}`, async () => {
        const { pods } = mesh();
        expect(await seenBy(pods['shown']!, pods[name]!, family)).to.equal(pods[name]![family]);
      });

      it(`is the pod's own with ENABLE_ORIG_SRC=false, ${family} ${how}`, async () => {
        const { pods } = mesh();
        expect(await seenBy(pods['hidden']!, pods[name]!, family)).to.equal(pods['hidden']![family]);
      });
    }

  it("is the client's with ENABLE_ORIG_SRC unset, where that is possible", async () => {
    const { client, unset } = mesh().pods;
    expect(await seenBy(unset!, client!, 'ipv4')).to.equal(client!.ipv4);
  });

  describe('without the right to take a foreign address', () => {
    /** Marks need the same right; what a proxy delivers to its own pod is not redirected anyway. */
    const unprivileged = { PACKET_MARK: '' };
    const weak = useMesh(
      {
        pods: {
          client: { proxy: false },
          required: { env: { ...unprivileged, ENABLE_ORIG_SRC: 'true' }, originalSource: true },
          unset: { env: { ...unprivileged, ENABLE_ORIG_SRC: '' } },
        },
      },
      ({ pods }) =>
        Promise.all(['required', 'unset'].map((name) => pods[name]!.serve('http-constant', { port: PORT }))),
      WITHOUT_PRIVILEGE,
    );

    it('ENABLE_ORIG_SRC=true refuses the connection, and the log says what is missing', async () => {
      const { client, required } = weak().pods;
      expect(await reaches(client!.netns, required!.ipv4, PORT)).to.equal(false);
      const entry = await required!.waitForAccess({ reason: 'spoofing-required' });
      expect(entry['error']).to.contain(client!.ipv4).and.to.contain('CAP_NET_ADMIN');
    });

    it("without the setting it is the pod's own, and the log warns", async () => {
      const { client, unset } = weak().pods;
      expect(await seenBy(unset!, client!, 'ipv4')).to.equal(unset!.ipv4);
      await unset!.proxy.waitForLine(/applications see the proxy's address instead of the client's/);
    });
  });
});
