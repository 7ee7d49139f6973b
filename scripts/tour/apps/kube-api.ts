/**
 * The Kubernetes API of the tour, at `--host` port `--port`, with the objects of the files `--load` in it. Writes two
 * kubeconfigs: one for people at `--admin`, which name the API by `--outside-url`, and one for the control plane at
 * `--control-plane`. Prints `ready`.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { LabApi } from '@ambient/lab';

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({
  options: {
    host: text,
    port: text,
    load: { type: 'string', multiple: true, default: [] },
    admin: text,
    'outside-url': text,
    'control-plane': text,
  },
});

const api = await LabApi.start({
  host: values.host,
  port: Number(values.port),
  serverNames: [new URL(values['outside-url']).hostname],
  crdFiles: values.load,
  onFault: (error) => console.error(error),
});
const account = api.kubeconfigFor('system:serviceaccount:istio-system:istiod', ['system:serviceaccounts']);
const owner = { mode: 0o600 };
writeFileSync(values.admin, api.kubeconfig.replaceAll(api.url, values['outside-url']), owner);
writeFileSync(values['control-plane'], account, owner);
process.stdout.write('ready\n');
