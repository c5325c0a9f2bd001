// An application with passwords, and Countersign as its second factor.

import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { ConflictError, Countersign, ExpiredError } from "@countersign/client";
import { InvalidCodeError, NotFoundError, RateLimitError } from "@countersign/client";
import cookieParser from "cookie-parser";
import express from "express";
import session from "express-session";
import QRCode from "qrcode";

// Where the service is, and the key, stand in COUNTERSIGN_URL and COUNTERSIGN_API_KEY.
const { mfa } = new Countersign().auth;

/** Your users, as your database has them. The service knows them by an id that never changes. */
const salt = randomBytes(16);
const ann = { id: "user_ann", email: "ann@example.com" };
const hash = scryptSync("correct horse battery staple", salt, 32);

/** Takes as long for an address that nobody has. */
function checkPassword(email = "", password = "") {
  const right = timingSafeEqual(scryptSync(password, salt, 32), hash);
  return right && email === ann.email ? ann : undefined;
}

/** What a person typed, as short as codes are and never nothing: wrong is wrong. */
const typed = (text = "") => String(text).slice(0, 64) || "-";

/** Signs somebody in, under a new session id: nobody else can have known it before. */
async function signIn(/** @type {express.Request} */ req, /** @type {typeof ann} */ user) {
  await promisify(req.session.regenerate).call(req.session);
  req.session.user = user;
}

const app = express();
app.set("view engine", "ejs").set("views", import.meta.dirname + "/views");
app.set("trust proxy", Number(process.env.TRUSTED_PROXIES ?? 0)); // how many stand before this
app.use(express.static(import.meta.dirname + "/public"));
app.use(express.urlencoded({ extended: false, limit: "16kb" }), cookieParser());
app.use(session({
  secret: process.env.SESSION_SECRET ?? randomBytes(32).toString("hex"),
  cookie: { httpOnly: true, sameSite: "lax", secure: "auto" },
  resave: false,
  saveUninitialized: false,
}));

app.get("/sign-in", (_req, res) => res.render("sign-in", {}));

app.post("/sign-in", async (req, res) => {
  const user = checkPassword(req.body.email, req.body.password);
  if (!user) return res.status(401).render("sign-in", { problem: "Wrong email or password." });
  const browser = { userAgent: req.get("user-agent"), deviceToken: req.cookies.mfa_device };
  const context = { ipAddress: req.ip, ...browser };
  const result = await mfa.createChallenge(user.id, { context });
  if (result.mfaRequired) {
    req.session.pending = { user, challenge: result.challenge };
    const enroll = result.challenge.kind === "ENROLLMENT_REQUIRED";
    return res.redirect(enroll ? "/authenticator-app" : "/second-factor");
  }
  await signIn(req, user);
  res.redirect("/");
});

app.get("/second-factor", (req, res) => {
  if (!req.session.pending) return res.redirect("/sign-in");
  res.render("second-factor", {});
});

app.post("/second-factor", async (req, res) => {
  const { pending } = req.session;
  if (!pending) return res.redirect("/sign-in");
  const { code, recoveryCode: recovery, remember } = req.body;
  const factor = pending.challenge.factors.find(({ type }) => type === "TOTP");
  const byApp = { factorId: factor?.id ?? "", code: typed(code) };
  const verified = await mfa.verify({
    challengeId: pending.challenge.id,
    ...(recovery ? { recoveryCode: typed(recovery) } : byApp),
    rememberDevice: remember === "on",
  });
  if (!verified) return res.status(422).render("second-factor", { problem: "That code is not right." });
  if (verified.deviceToken) {
    res.cookie("mfa_device", verified.deviceToken, {
      maxAge: 30 * 24 * 60 * 60 * 1000, httpOnly: true, secure: true, sameSite: "lax",
    });
  }
  await signIn(req, pending.user);
  res.redirect("/");
});

/** Who may set up an app: whoever is signed in, or must before they are. */
const enrolling = (/** @type {express.Request} */ req) => {
  const { user, pending } = req.session;
  if (user) return { user, challengeId: undefined };
  if (pending?.challenge.kind !== "ENROLLMENT_REQUIRED") return undefined;
  return { user: pending.user, challengeId: pending.challenge.id };
};

app.get("/authenticator-app", async (req, res) => {
  const who = enrolling(req);
  if (!who) return res.redirect("/sign-in");
  // Whoever has an app already does not get another by a session alone.
  if ((await mfa.getStatus(who.user.id)).enabled) return res.redirect("/");
  const { secret, qrCodeUri } = await mfa.enrollTotp(who.user.id, { accountName: who.user.email });
  res.render("authenticator-app", { secret, qrCode: await QRCode.toDataURL(qrCodeUri) });
});

app.post("/authenticator-app", async (req, res) => {
  const who = enrolling(req);
  if (!who) return res.redirect("/sign-in");
  try {
    await mfa.verifyTotp(who.user.id, { code: typed(req.body.code), challengeId: who.challengeId });
  } catch (error) {
    if (!(error instanceof InvalidCodeError)) throw error;
    res.status(422).render("authenticator-app", { problem: "That code is not right." });
    return;
  }
  await signIn(req, who.user);
  res.render("recovery-codes", { codes: await mfa.regenerateRecoveryCodes(who.user.id) });
});

app.post("/sign-out", async (req, res) => {
  await promisify(req.session.destroy).call(req.session);
  res.redirect("/sign-in");
});

app.get("/", async (req, res) => {
  const { user } = req.session;
  if (!user) return res.redirect("/sign-in");
  res.render("home", { email: user.email, factors: await mfa.listFactors(user.id) });
});

/** @type {express.ErrorRequestHandler} Whatever else goes wrong: nobody is signed in. */
const refused = (error, req, res, _next) => {
  if (error instanceof RateLimitError) {
    const when = error.retryAfter ? `in ${error.retryAfter} seconds` : "later";
    const problem = `Too many tries. Try again ${when}.`;
    return res.status(429).render("second-factor", { problem });
  }
  delete req.session.pending;
  if ([ExpiredError, NotFoundError, ConflictError].some((late) => error instanceof late)) {
    return res.status(410).render("sign-in", { problem: "That took too long. Please sign in again." });
  }
  console.error(error);
  res.status(503).render("sign-in", { problem: "Signing in is not possible at the moment." });
};
app.use(refused);

const port = Number(process.env.PORT ?? 3000);
app.listen(port, "127.0.0.1", () => console.log(`http://localhost:${port}`));
