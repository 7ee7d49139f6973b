/** The program of the image `ambient/lab-dns`. */
import { createServer } from 'node:http';
import { KubeClient, KubeConnection } from '@ambient/kube';
import { Logger, LogLevels, openLogOutput } from '@ambient/runtime';

import { endSignal, runProgram } from '../../program.ts';
import { ClusterDns } from './cluster-dns.ts';
import { parseDnsCommandLine } from './command-line.ts';
import type { DnsProgramOptions } from './command-line.ts';

async function run(options: DnsProgramOptions): Promise<void> {
  using output = await openLogOutput('plain');
  const log = new Logger(new LogLevels('info'), output, 'dns');
  using connection =
    options.kubeconfig === undefined
      ? KubeConnection.inCluster()
      : KubeConnection.fromFile(options.kubeconfig);
  const { port, zoneName, upstreams, readyPort } = options;
  const dns = await ClusterDns.start({ client: new KubeClient(connection), log, port, zoneName, upstreams });
  let ready = false;
  void dns.synced.then(() => {
    ready = true;
    log.info('the zone is known', { zone: zoneName, port: dns.port });
  });
  const readiness = createServer((_, response) => response.writeHead(ready ? 200 : 503).end());
  readiness.listen(readyPort);
  await endSignal();
  readiness.close();
  readiness.closeAllConnections();
  await dns.stop();
}

await runProgram('lab-dns', parseDnsCommandLine(process.argv.slice(2)), run);
