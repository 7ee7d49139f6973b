import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabProcess, Netns, NetnsLab } from '@ambient/testkit/lab';
import { APPLICATION_PORTS } from './addresses.ts';
import { connectionLimit } from './limits.ts';
import type { Column, Hops, Pair } from './rig.ts';

const firstEntry = 15_001;
const firstTunnel = 15_101;

/**
 * HAProxy as two hops: the client's takes captured TCP and opens a mutually authenticated TLS 1.3 connection to the
 * server's for each, which hands plain TCP to the application. One thread a hop. Nothing is resumed or pooled: that is
 * what HAProxy does for TCP.
 */
export const haproxy: Column = {
  name: 'haproxy',
  description: 'HAProxy in TCP mode over mutual TLS 1.3, one thread a hop',
  async startHops(pair: Pair): Promise<Hops> {
    await makeCertificates(pair.lab);
    const far = await start(pair.lab, pair.server, 'server', serverFrontends());
    const near = await start(pair.lab, pair.client, 'client', clientFrontends(pair.server.ipv4));
    await far.waitForListener(firstTunnel);
    await near.waitForListener(firstEntry);
    return {
      client: near,
      server: far,
      outbound: APPLICATION_PORTS.map((port, index) => ({ toPort: firstEntry + index, ports: [port] })),
      tunnelPorts: APPLICATION_PORTS.map((_port, index) => firstTunnel + index),
    };
  },
};

function preamble(): string {
  return `
global
  nbthread 1
  maxconn ${connectionLimit()}
  ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
  ssl-default-server-options ssl-min-ver TLSv1.3 no-tls-tickets
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384
  ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  backlog 4096
`;
}

function clientFrontends(serverIp: string): string[] {
  return APPLICATION_PORTS.map(
    (_port, index) => `
listen out${index}
  bind :${firstEntry + index}
  server far ${serverIp}:${firstTunnel + index} ssl verify required ca-file ca.crt crt client.pem no-ssl-reuse
`,
  );
}

function serverFrontends(): string[] {
  return APPLICATION_PORTS.map(
    (port, index) => `
listen in${index}
  bind :${firstTunnel + index} ssl verify required ca-file ca.crt crt server.pem
  server app 127.0.0.1:${port}
`,
  );
}

function start(lab: NetnsLab, netns: Netns, side: string, frontends: readonly string[]): Promise<LabProcess> {
  const file = join(lab.directory, `haproxy-${side}.cfg`);
  writeFileSync(file, preamble() + frontends.join(''));
  return netns.spawn(['haproxy', '-db', '-f', file]);
}

/** A throwaway authority and one ECDSA P-256 certificate a hop, in the lab's directory. */
async function makeCertificates(lab: NetnsLab): Promise<void> {
  const newKey = 'openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  const script = [
    'set -e',
    `${newKey} -x509 -days 2 -subj /CN=bench-ca -keyout ca.key -out ca.crt`,
    'for side in client server; do',
    `  ${newKey} -subj /CN=$side -keyout $side.key -out $side.csr`,
    '  openssl x509 -req -in $side.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out $side.crt',
    '  cat $side.crt $side.key > $side.pem',
    'done',
  ].join('\n');
  const made = await lab.launch({ name: 'openssl', argv: ['sh', '-c', script] });
  const { code } = await made.exited;
  if (code !== 0) throw new Error(`openssl could not make certificates:\n${made.lines.join('\n')}`);
}
