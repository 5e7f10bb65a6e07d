import { assertEquals } from "@std/assert";
import { parseEnv } from "node:util";
import { findEnvFileFault, parseEnvFile } from "../../../runtime/cli/parse_env_file.ts";

Deno.test("parseEnvFile() reads what Node reads", () => {
  for (
    const text of [
      "A=1\nB = two words \nexport C=3\n",
      "# comment\nA=1 # one\n#B=2\nC=#\nD='#'\n",
      'A=\'x\ny\'\nB="x\\ny"\nC=`it\'s`\nD=\nE=""\n',
      "A=1\r\nB=2\r\n",
      "A=b=c\nA.B-C=1\n  D=1\n",
      "no assignment\n=1\nA=1",
      'JSON={"a":1}\nURL=http://u:p@h/#x\n',
      "",
    ]
  ) assertEquals(parseEnvFile(text), { ...parseEnv(text) }, JSON.stringify(text));
});

Deno.test("parseEnvFile() takes quotes in double quotes, and the last of two", () => {
  assertEquals(parseEnvFile('A="say \\"hi\\""\nB=1\nB=2\n'), { A: 'say "hi"', B: "2" });
});

Deno.test("findEnvFileFault() finds the line that is no assignment", () => {
  for (const text of ["", "\n # a\nexport A=1\n", "A='x\ny z'\r\nB=\"a\nb\" # c\n", 'A="open\n']) {
    assertEquals(findEnvFileFault(text), undefined, JSON.stringify(text));
  }
  assertEquals(findEnvFileFault("A=1\nno assignment\nB=2"), 2);
  assertEquals(findEnvFileFault("A='x\ny'\n\n=1"), 4);
  assertEquals(findEnvFileFault("A: 1\n"), 1);
});
