import { kubernetesDriver } from "../../../drivers/kubernetes/driver.ts";
import { driverSuite } from "../../conformance/driver/suite.ts";
import { realCluster, SKIPPED } from "../../support/kubernetes/real_cluster.ts";
import { StandIn } from "../../support/kubernetes/stand_in.ts";
import { placeOn } from "./staged.ts";

const { capabilities } = kubernetesDriver();

driverSuite({
  name: "kubernetes (stand-in)",
  capabilities,
  skip: SKIPPED,
  open: async () => placeOn(await StandIn.start()),
});

// the same on a cluster, where there is one: MP_TEST_KUBECONFIG names its kubeconfig, MP_TEST_IMAGE an image that
// it has, with mp as its entry point
if (Deno.env.get("MP_TEST_KUBECONFIG")) {
  driverSuite({ name: "kubernetes", capabilities, skip: SKIPPED, open: realCluster });
}
