/** How Node words that the time is outside of the validity of a server's certificate. */
const wording = /certificate (has expired|is not yet valid)|CERT_(HAS_EXPIRED|NOT_YET_VALID)/i;

/**
 * Whether a connection failed since the server's certificate is not valid at this time, so that the clocks of both ends are to
 * be compared before anything else.
 *
 * @param details of the failure, as Node or gRPC tells them
 */
export function isUntimelyCertificate(details: string): boolean {
  return wording.test(details);
}
