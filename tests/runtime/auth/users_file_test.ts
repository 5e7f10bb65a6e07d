import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { MpError } from "../../../runtime/errors.ts";
import { usersFile } from "../../../runtime/auth/users_file.ts";

const ONE = "{SHA}/gW83NxJKAEngaXxoqd8u1OY4QY="; // "one"
const TWO = "{SHA}rXguzax3D8brmmLkT5CHP7l/sms="; // "two"

interface Folder extends AsyncDisposable {
  readonly path: string;
}

async function folder(): Promise<Folder> {
  const path = await Deno.makeTempDir({ prefix: "mp-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Writes a file such that its stamp is another, however coarse the clock of the file system is. */
function write(file: string, text: string, age: number): void {
  Deno.writeTextFileSync(file, text);
  Deno.utimeSync(file, new Date(), new Date(1_700_000_000_000 + age * 1000));
}

Deno.test("usersFile() knows the users of the file", async () => {
  await using at = await folder();
  const file = join(at.path, "users");
  write(file, `ada:${ONE}\nbob:${TWO}\n`, 0);
  const faults: unknown[] = [];
  const check = usersFile(file);
  const answers = [["ada", "one"], ["bob", "two"], ["ada", "two"], ["eve", "one"]] as const;
  assertEquals(
    await Promise.all(answers.map(([user, word]) => check(user, word, (it) => faults.push(it)))),
    [true, true, false, false],
  );
  assertEquals(faults, []);
});

Deno.test("usersFile() follows the file, and keeps the users while it cannot be read", async () => {
  await using at = await folder();
  const file = join(at.path, "users");
  write(file, `ada:${ONE}\n`, 0);
  const faults: MpError[] = [];
  const check = usersFile(file, 0);
  const isOne = async (user = "ada") =>
    await check(user, "one", (fault) => faults.push(fault as MpError));
  assertEquals(await isOne(), true);
  write(file, `ada:${TWO}\nbob:${ONE}\n`, 1);
  assertEquals([await isOne(), await isOne("bob")], [false, true]);
  write(file, "ada:secret\n", 2);
  assertEquals([await isOne(), await isOne("bob")], [false, true]);
  Deno.removeSync(file);
  assertEquals([await isOne(), await isOne("bob")], [false, true]);
  write(file, `ada:${ONE}\n`, 3);
  assertEquals([await isOne(), await isOne("bob")], [true, false]);
  // each state is told of once
  assertEquals(faults.map(({ code }) => code), ["topology_invalid", "topology_invalid"]);
  assertStringIncludes(faults[0]!.message, "line 1 has a password");
  assertStringIncludes(faults[1]!.message, "there is no such file");
  assertEquals(faults.some(({ message }) => message.includes("secret")), false);
});

Deno.test("usersFile() looks at the file no more often than said", async () => {
  await using at = await folder();
  const file = join(at.path, "users");
  write(file, `ada:${ONE}\n`, 0);
  const check = usersFile(file, 3_600_000);
  Deno.removeSync(file);
  assertEquals(
    await check("ada", "one", (fault) => {
      throw fault;
    }),
    true,
  );
});

Deno.test("usersFile() says why a file cannot be read", async () => {
  await using at = await folder();
  const failure = (file: string) => {
    const error = assertThrows(() => usersFile(file), MpError);
    assertEquals(error.code, "topology_invalid");
    assertStringIncludes(error.message, `Cannot read the users of ${JSON.stringify(file)}: `);
    return error.message.split(": ").slice(1).join(": ");
  };
  const file = join(at.path, "users");
  assertEquals(failure(file), "there is no such file");
  assertEquals(failure(at.path), "it is no file");
  Deno.writeFileSync(file, new Uint8Array([0x61, 0xff, 0x3a]));
  assertEquals(failure(file), "it is not UTF-8");
  Deno.writeTextFileSync(file, `ada:${ONE}\nbob:hunter2\n`);
  assertStringIncludes(failure(file), 'line 2 has a password for "bob" that cannot be used');
  Deno.truncateSync(file, 17 * 1024 * 1024);
  assertEquals(failure(file), "it is longer than 16777216 bytes");
});
