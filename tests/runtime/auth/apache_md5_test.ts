import { assertEquals } from "@std/assert";
import { apacheMd5 } from "../../../runtime/auth/apache_md5.ts";

Deno.test("apacheMd5() gives what openssl passwd -apr1 gives", () => {
  const salt = "9Xz/.ab1";
  const hashes = {
    "": "bdxVRbAs2czy4tV/AKFN/1",
    "a": "3XnHJVAv3QpRypXP3U5hG.",
    "lovelace": "CkN0Ycp0PMxRI5WrEt.E41",
    "pässword": "S3YrEZfj2zOLc8PYkMXHx.",
    "0123456789abcdef": "WX.SdSJRbpRqkfhxPg22C/",
    "a long password of more than thirty-two bytes": "aOLPu5VG2UUVSc8qIsF861",
    "日本語": "cPonrRD24C7xtmcQ2Iqf60",
  };
  for (const [password, hash] of Object.entries(hashes)) {
    assertEquals(apacheMd5(password, salt), hash, password);
  }
  assertEquals(apacheMd5("lovelace", "x"), "M0ioOLzgfMAbFKLDrkJyS.");
});
