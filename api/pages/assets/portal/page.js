// What makes the hosted pages nicer with scripts. All of it works without, but for keys.

import { showHere } from "./clock.js";
import { keepCodes } from "./codes.js";
import { easeForms } from "./forms.js";
import { useKeys } from "./keys.js";
import { openAtOnce } from "./opening.js";
import { countDown } from "./resend.js";
import { sayAtFirst } from "./status.js";
import { watchMessage } from "./watch.js";

showHere();
easeForms();
countDown();
sayAtFirst();
keepCodes();
useKeys();
openAtOnce();
watchMessage();
