import { assertEquals } from "@std/assert";
import { parseEnv } from "node:util";
import { parseEnvFile } from "../../../runtime/cli/parse_env_file.ts";

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
