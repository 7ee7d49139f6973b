import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleApp } from '@ambient/testkit/lab';
import { PORTS } from './addresses.ts';
import type { Pair } from './rig.ts';

const KIB_BODY = 'x'.repeat(1024);

/**
 * One nginx process that answers from memory, which is several times as fast as any proxy before it. The header lets the
 * rig see who connected. The user named is the one it runs as: in a user namespace there may be no other.
 */
function nginxConfiguration(directory: string): string {
  return `
user root;
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log stderr error;
events { worker_connections 20000; }
http {
  access_log off;
  client_body_temp_path ${directory}/nginx-body;
  proxy_temp_path ${directory}/nginx-proxy;
  fastcgi_temp_path ${directory}/nginx-fastcgi;
  uwsgi_temp_path ${directory}/nginx-uwsgi;
  scgi_temp_path ${directory}/nginx-scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 3600;
  tcp_nodelay on;
  server {
    listen ${PORTS.http} backlog=4096;
    location = / { add_header x-peer $remote_addr; return 200 "ok\\n"; }
    location = /bare { return 200 "ok\\n"; }
    location = /1k { return 200 "${KIB_BODY}"; }
  }
  server {
    listen ${PORTS.httpStatus};
    location / { stub_status; }
  }
}
`;
}

/** Starts the applications of a rig and resolves when all listen. */
export async function startServers({ lab, server }: Pair): Promise<void> {
  const { directory } = lab;
  const configuration = join(directory, 'nginx.conf');
  writeFileSync(configuration, nginxConfiguration(directory));
  const nginx = await server.spawn(['nginx', '-c', configuration, '-e', 'stderr']);
  const iperf = await server.spawn(['iperf3', '-s', '-p', String(PORTS.iperf)]);
  const echo = await server.spawn(sampleApp('echo', { port: PORTS.echo }), { name: 'echo' });
  await nginx.waitForListener(PORTS.http);
  await iperf.waitForListener(PORTS.iperf);
  await echo.waitForListener(PORTS.echo);
}
