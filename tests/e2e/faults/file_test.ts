import { needsSystem, testWith } from "../../support/needs.ts";
import { assertFaultless } from "./assert_faultless.ts";

testWith(
  needsSystem("linux"),
  "scopes in a file are linearizable while replicas are killed and the file is locked",
  () => assertFaultless("file"),
);
