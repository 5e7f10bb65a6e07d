import { needsProgram, needsSystem, testWith } from "../../support/needs.ts";
import { assertFaultless } from "./assert_faultless.ts";

testWith(
  [needsSystem("linux"), needsProgram("mariadbd", "apt-get install mariadb-server")],
  "scopes in mysql are linearizable while replicas and the server are killed and the network fails",
  () => assertFaultless("mysql"),
);
