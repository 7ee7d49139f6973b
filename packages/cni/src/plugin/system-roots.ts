import { readFileSync } from 'node:fs';

/** Where distributions keep the roots that the machine trusts, as Go's crypto/x509 looks for them on Linux. */
const files: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Arch
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem', // Alpine
];

/**
 * The machine's own trusted roots, for a kubeconfig that names none. Node's own list is left out of the executable's start:
 * it would be parsed each time, whether or not it is needed.
 * @returns PEM of the first file that can be read; undefined where there is none
 */
export function systemRoots(
  read: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): string | undefined {
  for (const file of files)
    try {
      return read(file);
    } catch {
      // The next distribution's place.
    }
  return undefined;
}
