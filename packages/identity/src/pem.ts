/** PEM (RFC 7468), as far as certificates, requests and revocation lists use it. */

const block = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;

/** Bodies of all blocks with this label, in their order; other labels and text between blocks are skipped. */
export function pemBodies(text: string, label: string): Buffer[] {
  return Array.from(text.matchAll(block))
    .filter(([, found]) => found === label)
    .map(([, , body]) => Buffer.from(body!, 'base64'));
}

/** All blocks with this label as PEM texts of their own, each ending in a newline. */
export function splitPem(text: string, label: string): string[] {
  return pemBodies(text, label).map((der) => toPem(der, label));
}

/** @param label what stands after BEGIN, such as `CERTIFICATE` (RFC 7468) */
export function toPem(der: Uint8Array, label: string): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
