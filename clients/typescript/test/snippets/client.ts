// The client of all snippets, and what keeps them apart.

import { randomUUID } from "node:crypto";
import { Countersign } from "@countersign/client";

/** Where the service is, and the key, are in the environment. */
export const client = new Countersign();

/** A user whom no other snippet knows. */
export const newUser = (): string => `user_${randomUUID()}`;

/** Whether messages can be read, as of `countersign dev` they can. */
export const hasInbox = process.env["SNIPPETS_INBOX"] === "yes";
