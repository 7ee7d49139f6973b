import type { HttpAnswer, LogEntry } from '../../../test/netns/harness/index.ts';
import type { Report, Step } from '../report.ts';
import { ANSWER, PRICE_PORT, podName, SECRET, spiffeId } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { hexDump } from '../wire/hex-dump.ts';
import type { ByteStream, Segment } from '../wire/pcap.ts';
import { recordLink } from '../wire/record.ts';
import type { Recording } from '../wire/record.ts';
import { contentType, readServerHello, readTlsRecords } from '../wire/tls-records.ts';
import type { ServerHello, TlsRecord } from '../wire/tls-records.ts';
import { bytesPerLine, dumpLines, logWords } from './words.ts';

const HBONE_PORT = 15_008;
/** The switch's interface towards the first pod, checkout. */
const CHECKOUT_LINK = 'to0';
/** Bytes that are shown of what was on the wire. */
const SAMPLE_BYTES = 64;

/** One request three times: in the clear, through the mesh, and what the wire saw of the second. */
export function requestSteps(
  scene: () => Scene,
  onServerHello: (hello: ServerHello) => void,
): readonly Step[] {
  let tunnelled: Recording<HttpAnswer> | undefined;
  return [
    { title: 'A request without the mesh', run: (report) => inTheClear(scene(), report) },
    {
      title: 'The same request through the mesh',
      async run(report) {
        report.progress('redirecting the pods');
        const labelled = await scene().labelNamespaces();
        await scene().setCapture(true);
        tunnelled = await record(scene(), report);
        return throughTheMesh(scene(), report, labelled, tunnelled.result);
      },
    },
    {
      title: 'What was on the wire',
      async run(report) {
        const hello = onTheWire(report, tunnelled!);
        if (hello === undefined) return 'not as it should be';
        onServerHello(hello);
        return Promise.resolve(`${hello.version} on port ${HBONE_PORT}, nothing in the clear`);
      },
    },
  ];
}

async function record(scene: Scene, report: Report): Promise<Recording<HttpAnswer>> {
  report.progress('recording the link of shop/checkout');
  return recordLink(scene.mesh.lab, CHECKOUT_LINK, { from: scene.checkout, to: scene.catalog }, () =>
    scene.askPrice(scene.checkout),
  );
}

async function inTheClear(scene: Scene, report: Report): Promise<string> {
  const { result, streams } = await record(scene, report);
  report.say(
    `${podName(scene.checkout)} asks ${podName(scene.catalog)} for a price, while the link between them is recorded.`,
  );
  showRequest(scene, report, result);
  report.check(isAnswer(result), 'the catalog answered');
  const told = streams.find(({ bytes }) => bytes.includes(SECRET));
  if (told !== undefined) {
    report.say(`Anyone on the way reads it, on TCP port ${told.destinationPort}:`);
    const perLine = bytesPerLine(report.width);
    const from = told.bytes.indexOf(SECRET);
    const start = Math.max(0, from - perLine * 2);
    const dump = hexDump(told.bytes, { from: start, lines: SAMPLE_BYTES / perLine, perLine });
    report.block(
      dumpLines(dump, report.style, ({ offset }) => {
        const at = parseInt(offset, 16);
        return at + perLine > from && at < from + SECRET.length;
      }),
    );
  }
  const readers = streams.filter(({ bytes }) => bytes.includes(SECRET)).length;
  report.check(readers === 2, `the coupon ${SECRET} is readable in the request and in the answer`);
  return readers === 2 ? 'readable by anyone on the way' : 'not seen in the recording';
}

async function throughTheMesh(
  scene: Scene,
  report: Report,
  labelled: string,
  answer: HttpAnswer,
): Promise<string> {
  const { checkout, catalog } = scene;
  report.say(
    'The namespaces are labelled for the mesh, and, as the node agent of a cluster does then, the tour puts redirection ' +
      'into the pods: a few nftables rules each. No application is restarted or told. The same request again:',
  );
  report.block([labelled]);
  showRequest(scene, report, answer);
  report.check(isAnswer(answer), 'the catalog answered the same');
  const seenAs = (answer.headers['x-peer'] ?? 'nobody').replace('::ffff:', '');
  report.check(seenAs === checkout.ipv4, `the application still sees the client's own address, ${seenAs}`);
  report.say('Both proxies wrote a line about it (shortened), and both name both identities:');
  const target = `${catalog.ipv4}:${PRICE_PORT}`;
  const lines: LogEntry[] = [];
  for (const [pod, direction] of [
    [checkout, 'outbound'],
    [catalog, 'inbound'],
  ] as const) {
    const entry = await pod.waitForAccess({ direction, 'dst.hbone_addr': target });
    lines.push(entry);
    report.hanging(`${report.style.bold(podName(pod))} logs`, logWords(entry, report.style));
  }
  const named = lines.every(
    (entry) =>
      entry['src.identity'] === spiffeId(checkout) &&
      entry['dst.identity'] === spiffeId(catalog) &&
      entry['error'] === undefined,
  );
  report.check(named, 'client and server are who they should be, each proven by its certificate');
  return `${checkout.name} → ${catalog.name}, both identities proven`;
}

function onTheWire(report: Report, recording: Recording<HttpAnswer>): ServerHello | undefined {
  const { segments, streams, packets } = recording;
  const fromClient = streams.find(({ destinationPort }) => destinationPort === HBONE_PORT);
  const fromServer = streams.find(({ sourcePort }) => sourcePort === HBONE_PORT);
  const requests = readTlsRecords(fromClient?.bytes ?? Buffer.alloc(0)) ?? [];
  const answers = readTlsRecords(fromServer?.bytes ?? Buffer.alloc(0)) ?? [];
  const hello = answers[0] && readServerHello(answers[0]);
  report.say('The recording of that second request, from its first byte on:');
  report.block([
    describeRecords('→', requests, 'ClientHello', report),
    describeRecords('←', answers, 'ServerHello', report),
  ]);
  const sample = requests.findLast(
    ({ type, bytes }) => type === contentType.applicationData && bytes.length >= SAMPLE_BYTES,
  );
  if (sample !== undefined) {
    report.say('One of the encrypted records:');
    const perLine = bytesPerLine(report.width);
    const dump = hexDump(sample.bytes, { lines: SAMPLE_BYTES / perLine, perLine });
    report.block(dumpLines(dump, report.style, () => false));
  }
  const others = segments.filter((segment) => !onTunnelPort(segment));
  report.check(
    segments.length > 0 && others.length === 0,
    others.length === 0
      ? `all ${segments.length} TCP segments belong to port ${HBONE_PORT}; port ${PRICE_PORT} was not used between the pods`
      : `${others.length} TCP segments belong to another port than ${HBONE_PORT}`,
  );
  report.check(
    requests.length > 0 && answers.length > 0 && streams.every(isEncrypted),
    'after the two hello messages, every byte is inside an encrypted TLS record',
  );
  report.check(
    packets.length > 0 && !packets.includes(SECRET) && !packets.includes(ANSWER.slice(0, 8)),
    `the coupon ${SECRET} occurs nowhere in the ${packets.length} recorded bytes`,
  );
  report.check(
    hello?.version === 'TLS 1.3',
    hello === undefined
      ? 'the server said no hello that the tour can read'
      : `${hello.version}, cipher ${hello.cipher}, key exchange ${hello.group}`,
  );
  return hello;
}

function showRequest(scene: Scene, report: Report, answer: HttpAnswer): void {
  const { style } = report;
  report.block([
    `${style.bold('GET')} ${scene.priceUrl}`,
    `${style.bold(answer.status === 0 ? (answer.error ?? '') : String(answer.status))} ${answer.body}`,
  ]);
}

function isAnswer(answer: HttpAnswer): boolean {
  return answer.status === 200 && answer.body === ANSWER;
}

function onTunnelPort({ sourcePort, destinationPort }: Segment): boolean {
  return sourcePort === HBONE_PORT || destinationPort === HBONE_PORT;
}

/** One hello in the clear; then nothing but protected records and the empty ones that middleboxes expect. */
function isEncrypted({ bytes }: ByteStream): boolean {
  const [hello, ...rest] = readTlsRecords(bytes) ?? [];
  return (
    hello?.type === contentType.handshake &&
    rest.length > 0 &&
    rest.every(({ type }) => type === contentType.applicationData || type === contentType.changeCipherSpec)
  );
}

function describeRecords(
  arrow: string,
  records: readonly TlsRecord[],
  hello: string,
  report: Report,
): string {
  const encrypted = records.filter(({ type }) => type === contentType.applicationData);
  const bytes = encrypted.reduce((sum, record) => sum + record.bytes.length, 0);
  const inClear =
    records[0]?.type === contentType.handshake ? `${hello} (${records[0].bytes.length} bytes), then ` : '';
  return `${report.style.bold(arrow)} ${inClear}${encrypted.length} encrypted records (${bytes} bytes)`;
}
