// What a session holds: who is signed in, or whose password was right so far.

import type { Challenge } from "@countersign/client";

interface User {
  id: string;
  email: string;
}

declare module "express-session" {
  interface SessionData {
    user: User;
    pending: { user: User; challenge: Challenge };
  }
}
