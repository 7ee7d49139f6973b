// The ASN.1 part of node-forge alone, a fifth of the memory of the whole library.
declare module 'node-forge/lib/asn1.js' {
  import { asn1 } from 'node-forge';
  export default asn1;
}
