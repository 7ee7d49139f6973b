import { X509Certificate } from 'node:crypto';
import { MESH_NAMESPACE } from '@ambient/lab/cluster';
import type { NodeProxy } from '../cluster/node-proxy.ts';
import type { Report, Step } from '../report.ts';
import type { Scene } from '../scene.ts';
import { alignWithin } from '../style.ts';
import type { ServerHello } from '../wire/tls-records.ts';

const ROOT_CONFIG_MAP = 'istio-ca-root-cert';

/** What the tour reads of `/config_dump`. */
interface CertificatePage {
  readonly certificates: readonly {
    readonly identity: string;
    readonly state: string;
    readonly certChain: readonly { readonly pem: string }[];
    readonly rootCerts: readonly { readonly pem: string }[];
  }[];
}

interface HeldCertificate {
  readonly node: string;
  readonly identity: string;
  readonly state: string;
  readonly own: X509Certificate;
  readonly root: X509Certificate;
}

/** Whom the proxies speak for, for how long, and by whose word. */
export function certificates(scene: () => Scene, hello: () => ServerHello | undefined): Step {
  return { title: 'Certificates', run: (report) => showCertificates(scene(), hello(), report) };
}

async function showCertificates(
  scene: Scene,
  hello: ServerHello | undefined,
  report: Report,
): Promise<string> {
  const { style } = report;
  const held = (await Promise.all(scene.proxies.map(certificatesOf))).flat();
  report.say(
    'What the ztunnel of each node holds, as its admin port tells (/config_dump). Times are in UTC.',
  );
  const rows = [
    ['node', 'identity', 'until', 'from'].map((text) => style.dim(text)),
    ...held.map(({ node, identity, own }) => [
      style.bold(node),
      style.identity(identity),
      shortTime(own.validToDate),
      shortTime(own.validFromDate),
    ]),
  ];
  report.block(alignWithin(rows, report.width));
  if (hello !== undefined)
    report.say(`The tunnel between the first two: ${hello.version}, ${hello.cipher}, ${hello.group}.`);
  const now = new Date();
  report.check(
    held.every((each) => isUsable(each, now)) &&
      scene.proxies.every(({ node }) => {
        const own = new Set(scene.pods.filter((pod) => pod.node === node).map(({ identity }) => identity));
        const has = held.filter((each) => each.node === node).map(({ identity }) => identity);
        return has.length === own.size && has.every((identity) => own.has(identity));
      }),
    'each has one valid certificate for each identity on its own node, and none for others; keys are P-256',
  );
  const roots = new Set(held.map(({ root }) => root.fingerprint256));
  report.check(
    roots.size === 1 && held.every(({ own, root }) => own.verify(root.publicKey)),
    `all are signed by one authority, the control plane's: ${nameOf(held[0]?.root)}`,
  );
  const { data } = await scene.cluster.client.request<{ readonly data: Readonly<Record<string, string>> }>({
    path: `/api/v1/namespaces/${MESH_NAMESPACE}/configmaps/${ROOT_CONFIG_MAP}`,
  });
  report.check(
    roots.has(new X509Certificate(data['root-cert.pem'] ?? '').fingerprint256),
    `its root is the one that the control plane put into the ConfigMap ${ROOT_CONFIG_MAP} of every namespace`,
  );
  return 'one per identity, one authority';
}

async function certificatesOf(proxy: NodeProxy): Promise<HeldCertificate[]> {
  const { certificates: entries } = (await proxy.admin('/config_dump')) as CertificatePage;
  return entries.flatMap(({ identity, state, certChain, rootCerts }) => {
    const [own, root] = [certChain[0], rootCerts[0]];
    if (own === undefined || root === undefined) return [];
    return { node: proxy.node, identity, state, own: decode(own.pem), root: decode(root.pem) };
  });
}

/** The subject as people write it: without the attribute's name and the escapes of RFC 4514. */
function nameOf(certificate: X509Certificate | undefined): string {
  return certificate?.subject.replace('CN=', '').replaceAll('\\', '') ?? 'none';
}

function decode(pem: string): X509Certificate {
  return new X509Certificate(Buffer.from(pem, 'base64'));
}

function isUsable({ identity, state, own }: HeldCertificate, now: Date): boolean {
  return (
    state === 'Available' &&
    own.subjectAltName === `URI:${identity}` &&
    own.publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
    own.validFromDate <= now &&
    own.validToDate > now
  );
}

function shortTime(time: Date): string {
  return time.toISOString().slice(0, 16).replace('T', ' ');
}
