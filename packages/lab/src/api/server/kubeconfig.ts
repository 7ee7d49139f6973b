/** Kubeconfig documents (client-go `v1.Config`). JSON is YAML, so the JSON form serves every client. */

export type KubeconfigCredential =
  { readonly certificatePem: string; readonly privateKeyPem: string } | { readonly token: string };

export interface KubeconfigOptions {
  readonly url: string;
  readonly caPem: string;
  readonly user: string;
  readonly credential: KubeconfigCredential;
}

/** A kubeconfig with one cluster, one user and one context, all current. */
export function kubeconfig(options: KubeconfigOptions): string {
  const { credential } = options;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'lab',
        cluster: { server: options.url, 'certificate-authority-data': base64(options.caPem) },
      },
    ],
    users: [
      {
        name: options.user,
        user:
          'token' in credential
            ? { token: credential.token }
            : {
                'client-certificate-data': base64(credential.certificatePem),
                'client-key-data': base64(credential.privateKeyPem),
              },
      },
    ],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: options.user, namespace: 'default' } }],
    'current-context': 'lab',
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
