import { X509Certificate } from 'node:crypto';
import type { Report, Step } from '../report.ts';
import { podName, spiffeId } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { alignWithin } from '../style.ts';
import type { ServerHello } from '../wire/tls-records.ts';

/** What the tour reads of `/config_dump`. */
interface CertificatePage {
  readonly certificates: readonly {
    readonly identity: string;
    readonly state: string;
    readonly certChain: readonly { readonly pem: string }[];
    readonly rootCerts: readonly { readonly pem: string }[];
  }[];
}

interface PodCertificate {
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
  const found = await Promise.all(
    scene.pods.map(async (pod) => ({
      pod,
      certificate: await certificateOf(scene, pod.name, spiffeId(pod)),
    })),
  );
  report.say('What each proxy holds, as its admin port tells (/config_dump). Times are in UTC.');
  const rows = [
    ['pod', 'identity', 'until', 'from'].map((text) => style.dim(text)),
    ...found.map(({ pod, certificate }) => [
      style.bold(podName(pod)),
      style.identity(certificate?.own.subjectAltName?.replace('URI:', '') ?? 'none'),
      shortTime(certificate?.own.validToDate),
      shortTime(certificate?.own.validFromDate),
    ]),
  ];
  report.block(alignWithin(rows, report.width));
  if (hello !== undefined)
    report.say(`The tunnel between the first two: ${hello.version}, ${hello.cipher}, ${hello.group}.`);
  const now = new Date();
  report.check(
    found.every(({ pod, certificate }) => isUsable(certificate, spiffeId(pod), now)),
    'each proxy has one valid certificate, for the identity of its own pod and no other; keys are P-256',
  );
  const roots = new Set(found.map(({ certificate }) => certificate?.root.fingerprint256));
  report.check(
    roots.size === 1 &&
      found.every(({ certificate }) => certificate?.own.verify(certificate.root.publicKey) === true),
    `all are signed by one authority, the control plane's: ${nameOf(found[0]?.certificate?.root)}`,
  );
  const published = new X509Certificate(await scene.cluster.rootCertificates());
  report.check(
    roots.has(published.fingerprint256),
    'its root is the one that the control plane put into the ConfigMap istio-ca-root-cert of every namespace',
  );
  return 'one per pod, one authority';
}

async function certificateOf(
  scene: Scene,
  name: string,
  identity: string,
): Promise<PodCertificate | undefined> {
  const page = (await scene.admin(scene.mesh.pod(name), '/config_dump')) as CertificatePage;
  const entry = page.certificates.find((candidate) => candidate.identity === identity);
  const [own, root] = [entry?.certChain[0], entry?.rootCerts[0]];
  // A second identity in the proxy of one pod would be somebody else's.
  if (entry === undefined || own === undefined || root === undefined || page.certificates.length !== 1)
    return undefined;
  return { state: entry.state, own: decode(own.pem), root: decode(root.pem) };
}

/** The subject as people write it: without the attribute's name and the escapes of RFC 4514. */
function nameOf(certificate: X509Certificate | undefined): string {
  return certificate?.subject.replace('CN=', '').replaceAll('\\', '') ?? 'none';
}

function decode(pem: string): X509Certificate {
  return new X509Certificate(Buffer.from(pem, 'base64'));
}

function isUsable(certificate: PodCertificate | undefined, identity: string, now: Date): boolean {
  return (
    certificate?.state === 'Available' &&
    certificate.own.subjectAltName === `URI:${identity}` &&
    certificate.own.publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
    certificate.own.validFromDate <= now &&
    certificate.own.validToDate > now
  );
}

function shortTime(time: Date | undefined): string {
  return time === undefined ? '' : time.toISOString().slice(0, 16).replace('T', ' ');
}
