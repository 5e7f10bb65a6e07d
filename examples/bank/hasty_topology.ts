/**
 * The same bank, written in a hurry: it looks at the balance in one transaction, and changes it in others. It works
 * when it is tried out, and loses money under load. `bank_test.ts` finds it.
 *
 * @module
 */

import * as mp from "@metaparticle/mp";

interface Transfer {
  from: string;
  to: string;
  amount: number;
}

interface Account {
  balance?: number;
}

async function transfer({ from, to, amount }: Transfer): Promise<number> {
  const balance = await mp.scoped(`account ${from}`, (account: Account) => account.balance ?? 0);
  if (balance < amount) throw new Error(`${from} has ${balance}, not ${amount}`);
  await mp.scoped(`account ${from}`, (account: Account) => {
    account.balance = balance - amount;
  });
  await mp.scoped(`account ${to}`, (account: Account) => {
    account.balance = (account.balance ?? 0) + amount;
  });
  return balance - amount;
}

mp.service("transfer", mp.spread({ replicas: 3, target: transfer, expose: true }));
mp.serve();
