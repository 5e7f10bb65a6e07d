import { needsProgram, needsSystem, testWith } from "../../support/needs.ts";
import { assertFaultless } from "./assert_faultless.ts";

testWith(
  [needsSystem("linux"), needsProgram("redis-server", "apt-get install redis-server")],
  "scopes in redis are linearizable while replicas and the server are killed and the network fails",
  () => assertFaultless("redis"),
);
