// One attempt of a probe. Those over the network are sent from the node's namespace.
import { connect as connectHttp2 } from 'node:http2';
import http from 'node:http';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { Clock } from '@ambient/runtime';

import { messageOf } from '../errors.ts';
import type { Container, HandlerAction, HttpGetAction } from '../../objects/pod.ts';

export interface ProbeOutcome {
  readonly success: boolean;
  readonly message: string;
}

/** What a probe, or a hook, reaches its container by. */
export interface ProbeTarget {
  readonly container: Container;
  readonly podIp: string;
  /** From the node's network. */
  readonly connect: (address: string, port: number) => Socket;
  readonly spawn: (argv: readonly string[]) => ChildProcess;
  readonly clock: Clock;
}

const longestBodyBytes = 10 * 1024;

/** Never throws: what goes wrong is a failure. @param timeoutMs for the whole attempt */
export async function sendProbe(
  action: HandlerAction,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  const abort = new AbortController();
  const late = Promise.withResolvers<ProbeOutcome>();
  using _timer = target.clock.setTimer(timeoutMs, () => {
    late.resolve({ success: false, message: `no answer within ${timeoutMs} ms` });
    abort.abort();
  });
  try {
    return await Promise.race([attempt(action, target, abort.signal), late.promise]);
  } catch (error) {
    return { success: false, message: messageOf(error) };
  } finally {
    abort.abort();
  }
}

function attempt(action: HandlerAction, target: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  const { httpGet, tcpSocket, grpc, exec, sleep } = action;
  if (httpGet !== undefined) return probeHttp(httpGet, target, signal);
  if (tcpSocket !== undefined)
    return probeTcp(target, tcpSocket.host || target.podIp, portOf(tcpSocket.port, target), signal);
  if (grpc !== undefined) return probeGrpc(target, grpc.port, grpc.service ?? '', signal);
  if (exec !== undefined) return probeExec(target, exec.command ?? [], signal);
  if (sleep !== undefined) return pass(target.clock, sleep.seconds * 1000, signal);
  return Promise.resolve({ success: false, message: 'it says not what to do' });
}

/** A port by number or by name. @throws RangeError for a name that the container has not */
function portOf(port: number | string, { container }: ProbeTarget): number {
  const number = Number(port);
  if (Number.isInteger(number)) return number;
  const named = container.ports?.find(({ name }) => name === port);
  if (named === undefined) throw new RangeError(`the container has no port named ${JSON.stringify(port)}`);
  return named.containerPort;
}

function closeWith(signal: AbortSignal, close: () => void): void {
  if (signal.aborted) close();
  else signal.addEventListener('abort', close, { once: true });
}

/** As a kubelet: any status from 200 to 399 is good, certificates are not verified. */
async function probeHttp(
  get: HttpGetAction,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const host = get.host || target.podIp;
  const port = portOf(get.port, target);
  const socket = target.connect(host, port);
  closeWith(signal, () => socket.destroy());
  const named = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]));
  const secure = get.scheme === 'HTTPS';
  return new Promise((resolve, reject) => {
    const request = http.request({
      // Certificates of pods are nobody's that the node would know.
      createConnection: () => (secure ? connectTls({ socket, rejectUnauthorized: false }) : socket),
      host,
      port,
      path: get.path?.startsWith('/') === true ? get.path : `/${get.path ?? ''}`,
      headers: { 'user-agent': 'kube-probe/1.32', accept: '*/*', connection: 'close', ...named },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > longestBodyBytes) response.destroy();
      });
      response.on('error', () => undefined);
      const success = status >= 200 && status < 400;
      resolve({
        success,
        message: `HTTP probe ${success ? 'answered' : 'failed'} with statuscode: ${status}`,
      });
    });
    request.end();
  });
}

function probeTcp(
  target: ProbeTarget,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const socket = target.connect(host, port);
  closeWith(signal, () => socket.destroy());
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => resolve({ success: true, message: 'connected' }));
  });
}

const serving = 1;

/** grpc.health.v1.Health/Check, over HTTP/2 without TLS. */
function probeGrpc(
  target: ProbeTarget,
  port: number,
  service: string,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const socket = target.connect(target.podIp, port);
  const authority = target.podIp.includes(':') ? `[${target.podIp}]` : target.podIp;
  const session = connectHttp2(`http://${authority}:${port}`, { createConnection: () => socket });
  closeWith(signal, () => session.destroy());
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let grpcStatus: unknown;
    stream.on('response', (headers) => (grpcStatus = headers['grpc-status']));
    stream.on('trailers', (headers) => (grpcStatus = headers['grpc-status'] ?? grpcStatus));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => {
      const answer = Buffer.concat(chunks);
      // A frame of 5 bytes, then field 1 (a varint) of HealthCheckResponse.
      const status = answer.length >= 7 && answer[5] === 0x08 ? answer[6] : 0;
      const success = grpcStatus === '0' && status === serving;
      const message = `service ${success ? 'is serving' : `is not serving (grpc-status ${String(grpcStatus)}, health ${status})`}`;
      resolve({ success, message });
    });
    stream.end(healthRequest(service));
  });
}

/** HealthCheckRequest in one frame: field 1 is the service's name. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service).subarray(0, 127);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function probeExec(target: ProbeTarget, argv: readonly string[], signal: AbortSignal): Promise<ProbeOutcome> {
  const child = target.spawn(argv);
  closeWith(signal, () => child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      if (text.length < longestBodyBytes) text += chunk.toString();
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      resolve({ success: code === 0, message: text.trim() || `command exited with ${code ?? 'a signal'}` }),
    );
  });
}

function pass(clock: Clock, ms: number, signal: AbortSignal): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(ms, () => resolve({ success: true, message: 'slept' }));
    closeWith(signal, () => timer[Symbol.dispose]());
  });
}
