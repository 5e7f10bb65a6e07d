import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hashedPassword, plainPassword } from "../../../runtime/auth/stored_password.ts";

/** The examples of Apache's documentation, and others, of the password behind them. */
const HASHES: Record<string, string> = {
  "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/": "myPassword",
  "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=": "myPassword",
  "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC": "myPassword",
  "$2b$04$MbaRvFGfDURS3yIgKPfKve48hvizdmTPvklluRqtWYaQVtbnYtC62": "pässword",
  "$2a$04$MbaRvFGfDURS3yIgKPfKve48hvizdmTPvklluRqtWYaQVtbnYtC62": "pässword",
  "{SHA}I7dElEdfX4dJgLdnbVEeI9iG2mQ=": "pässword",
};

Deno.test("hashedPassword() knows the password of every form that it reads", async () => {
  for (const [hash, password] of Object.entries(HASHES)) {
    const stored = hashedPassword(hash);
    assert(typeof stored === "object", hash);
    assertEquals(await stored.matches(password), true, hash);
    for (const other of ["", `${password} `, password.toUpperCase(), password.slice(1), hash]) {
      assertEquals(await stored.matches(other), false, `${hash} ${other}`);
    }
  }
});

Deno.test("hashedPassword() says what is wrong with any other form, without showing it", () => {
  const others = [
    "",
    "lovelace",
    "rqXexS6ZhobKA",
    "$1$r31.....$HqJZimcKQFAMYayBlzkrA/",
    "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8",
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1",
    "{SSHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=",
    "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKN=",
    "{sha}VBPuJHI7uixaa6LQGWx4s+5GKNE=",
    "{PLAIN}lovelace",
    "$2x$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC",
    "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRq",
    "$apr1$123456789$HqJZimcKQFAMYayBlzkrA/",
    "$apr1$$HqJZimcKQFAMYayBlzkrA/",
  ];
  for (const text of others) {
    const problem = hashedPassword(text);
    assertEquals(problem, "it is neither bcrypt ($2y$) nor {SHA} nor $apr1$", text);
  }
});

Deno.test("hashedPassword() refuses costs that nothing else could wait for", () => {
  for (const cost of ["03", "17", "31", "99"]) {
    const problem = hashedPassword(
      `$2y$${cost}$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC`,
    );
    assertStringIncludes(String(problem), `its cost is ${Number(cost)}, not from 4 to 16`);
  }
});

Deno.test("plainPassword() knows its password and no other", () => {
  const stored = plainPassword("pässword");
  assertEquals(stored.matches("pässword"), true);
  for (const other of ["", "password", "pässword ", "pässwor", "PÄSSWORD"]) {
    assertEquals(stored.matches(other), false, other);
  }
});
