/**
 * A certificate that nobody vouches for, for servers of tests.
 *
 * @module
 */

import { join } from "@std/path";

/** Files of a certificate. */
export interface Certificate extends AsyncDisposable {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a certificate for this machine; needs `openssl`. */
export async function makeCertificate(): Promise<Certificate> {
  const folder = await Deno.makeTempDir({ prefix: "mp-certificate-" });
  const files = { certificate: join(folder, "certificate.pem"), key: join(folder, "key.pem") };
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
      ...["-keyout", files.key, "-out", files.certificate],
    ],
  }).output();
  if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
  return { ...files, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}
