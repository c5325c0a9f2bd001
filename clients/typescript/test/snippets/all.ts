// All snippets, one after the other: some of them change what is demanded of everybody.

import "./policy.js";
import "./totp.js";
import "./factors.js";
import "./login.js";
import "./remember.js";
import "./messages.js";
import "./recovery.js";
import "./webauthn.js";
