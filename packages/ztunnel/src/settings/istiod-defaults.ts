import { derived } from '@ambient/runtime';

/** Control plane and CA if nothing names one. */
export const istiodAddress = derived(
  '`https://istiod.istio-system.svc:15012` if `KUBERNETES_SERVICE_HOST` is set, else `https://localhost:15012`',
  (source) =>
    source.get('KUBERNETES_SERVICE_HOST') === undefined
      ? 'https://localhost:15012'
      : 'https://istiod.istio-system.svc:15012',
);

export const defaultRootFile = './var/run/secrets/istio/root-cert.pem';
export const rootDoc =
  'Root certificates for the server: a file (reread when it changes), PEM text, or `SYSTEM` for those of the system.';
