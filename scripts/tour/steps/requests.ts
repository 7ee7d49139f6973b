import type { HttpAnswer } from '../../../test/netns/harness/index.ts';
import type { Report, Step } from '../report.ts';
import { ANSWER, PRICE_PORT, PRICE_URL, SECRET } from '../scene.ts';
import type { Scene } from '../scene.ts';
import type { TourPod } from '../cluster/tour-pod.ts';
import { hexDump } from '../wire/hex-dump.ts';
import type { ByteStream, Segment } from '../wire/pcap.ts';
import { between, recordLink } from '../wire/record.ts';
import type { Recording } from '../wire/record.ts';
import { contentType, readServerHello, readTlsRecords } from '../wire/tls-records.ts';
import type { ServerHello, TlsRecord } from '../wire/tls-records.ts';
import { bytesPerLine, dumpLines } from './words.ts';

const HBONE_PORT = 15_008;
/** Bytes that are shown of what was on the wire. */
const SAMPLE_BYTES = 64;

/** A request in the clear, with the link between the nodes recorded. */
export function requestInTheClear(scene: () => Scene): Step {
  return { title: 'A request without the mesh', run: (report) => inTheClear(scene(), report) };
}

/** What was on the wire between checkout and catalog. */
export function onTheWire(
  scene: () => Scene,
  recording: () => Recording<unknown>,
  onServerHello: (hello: ServerHello) => void,
): Step {
  return {
    title: 'What was on the wire',
    run(report) {
      const hello = showWire(scene(), report, recording());
      if (hello === undefined) return Promise.resolve('not as it should be');
      onServerHello(hello);
      return Promise.resolve(`${hello.version} on port ${HBONE_PORT}, nothing in the clear`);
    },
  };
}

async function inTheClear(scene: Scene, report: Report): Promise<string> {
  const { checkout, catalog } = scene;
  report.progress('recording the link between the nodes');
  const { result, ...recording } = await recordLink(scene, () => scene.askPrice(checkout));
  const { streams } = between(recording, checkout.ip, catalog.ip);
  report.say(
    `${checkout.title} on ${checkout.node} asks ${catalog.title} on ${catalog.node} for a price, while the link between the ` +
      'nodes is recorded.',
  );
  showRequest(report, result);
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

function showWire(
  { checkout, catalog }: Scene,
  report: Report,
  recording: Recording<unknown>,
): ServerHello | undefined {
  const { packets } = recording;
  const { segments, streams } = between(recording, checkout.ip, catalog.ip);
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
  checkOnlyTunnel(report, segments);
  report.check(
    requests.length > 0 && answers.length > 0 && streams.every(isEncrypted),
    'after the two hello messages, every byte is inside an encrypted TLS record',
  );
  checkNothingReadable(report, packets);
  report.check(
    hello?.version === 'TLS 1.3',
    hello === undefined
      ? 'the server said no hello that the tour can read'
      : `${hello.version}, cipher ${hello.cipher}, key exchange ${hello.group}`,
  );
  return hello;
}

/** @param segments between two pods */
export function checkOnlyTunnel(report: Report, segments: readonly Segment[]): void {
  const others = segments.filter((segment) => !onTunnelPort(segment));
  report.check(
    segments.length > 0 && others.length === 0,
    others.length === 0
      ? `all ${segments.length} TCP segments belong to port ${HBONE_PORT}; port ${PRICE_PORT} was not used between the pods`
      : `${others.length} TCP segments belong to another port than ${HBONE_PORT}`,
  );
}

/** @param packets everything that crossed the link */
export function checkNothingReadable(report: Report, packets: Buffer): void {
  report.check(
    packets.length > 0 && !packets.includes(SECRET) && !packets.includes(ANSWER.slice(0, 8)),
    `the coupon ${SECRET} occurs nowhere in the ${packets.length} recorded bytes`,
  );
}

export function showRequest(report: Report, answer: HttpAnswer): void {
  const { style } = report;
  report.block([
    `${style.bold('GET')} ${PRICE_URL}`,
    `${style.bold(answer.status === 0 ? (answer.error ?? '') : String(answer.status))} ${answer.body}`,
  ]);
}

export function isAnswer(answer: HttpAnswer): boolean {
  return answer.status === 200 && answer.body === ANSWER;
}

/** Whether the application was told the address of the client itself. */
export function checkSeenAs(report: Report, answer: HttpAnswer, client: TourPod): void {
  const seenAs = (answer.headers['x-peer'] ?? 'nobody').replace('::ffff:', '');
  report.check(seenAs === client.ip, `the application still sees the client's own address, ${seenAs}`);
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
