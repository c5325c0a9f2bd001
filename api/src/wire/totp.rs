//! Enrolling authenticator apps (RFC 6238).

use countersign_core::command::Command;
use countersign_core::factor::totp::Parameters;
use countersign_core::reply::{Reply, TotpEnrollment as Enrollment};
use countersign_core::secret::Secret;
use data_encoding::BASE32_NOPAD;
use fast_qr::{ECL, QRBuilder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Algorithm, Answer, SecretText, Time, otpauth};
use crate::error::ApiError;
use crate::problem::Problem;
use crate::request::Fields;
use crate::state::ApiState;

/// Begins the enrollment of an authenticator app. Every field may be left out.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EnrollTotp {
    /// A name for the factor.
    #[schema(min_length = 1, max_length = 100, example = "Phone")]
    name: Option<String>,
    /// The hash; SHA1 if left out, which every app knows.
    algorithm: Option<Algorithm>,
    /// Digits of a code, 6 or 8; 6 if left out.
    #[schema(minimum = 6, maximum = 8, example = 6)]
    digits: Option<u32>,
    /// Seconds of a time step, 15–120; 30 if left out.
    #[schema(minimum = 15, maximum = 120, example = 30)]
    period: Option<u32>,
    /// The account name that the app shows; the user's email address or id if left out.
    #[schema(min_length = 1, max_length = 100, example = "ann@example.com")]
    account_name: Option<String>,
    /// The `factorId` of an enrollment that the same browser began before. While it waits, and with
    /// the same parameters, the answer has the same secret again; else a new one.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    resume: Option<String>,
}

impl EnrollTotp {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let command = Command::BeginTotp {
            name: fields.name("/name", self.name),
            parameters: parameters(&mut fields, self.algorithm, self.digits, self.period),
            account_name: fields.name("/accountName", self.account_name),
            // An id that cannot be one is of no enrollment that waits.
            resume: self.resume.and_then(|id| id.parse().ok()),
        };
        fields.finish(command)
    }
}

/// Takes over a secret that an authenticator app already has: by `secret`, or by `uri` alone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ImportTotp {
    /// The shared secret in base32, 10–128 bytes; case, spaces, padding and bits that make no byte do
    /// not matter.
    #[schema(value_type = Option<String>, example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    secret: Option<SecretText>,
    /// An `otpauth://totp/…` address, as apps and other services export it: secret, hash, digits and
    /// period are taken from it.
    #[schema(value_type = Option<String>, example = "otpauth://totp/Acme:ann?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme")]
    uri: Option<SecretText>,
    /// The hash; SHA1 if left out.
    algorithm: Option<Algorithm>,
    /// Digits of a code, 6 or 8; 6 if left out.
    #[schema(minimum = 6, maximum = 8, example = 6)]
    digits: Option<u32>,
    /// Seconds of a time step, 15–120; 30 if left out.
    #[schema(minimum = 15, maximum = 120, example = 30)]
    period: Option<u32>,
    /// A name for the factor.
    #[schema(min_length = 1, max_length = 100, example = "Phone")]
    name: Option<String>,
}

impl ImportTotp {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let name = fields.name("/name", self.name);
        let alone = self.algorithm.is_none() && self.digits.is_none() && self.period.is_none();
        let (secret, parameters) = match (self.secret, self.uri) {
            (None, Some(uri)) => {
                let detail = "must not come with `algorithm`, `digits` or `period`: it has its own";
                fields.demand(alone, "/uri", detail);
                otpauth::read(&mut fields, "/uri", uri.expose())
            }
            (secret, uri) => {
                fields.demand(uri.is_none(), "/uri", "must not come with `secret`");
                let secret = match &secret {
                    Some(secret) => fields.totp_secret("/secret", secret.expose()),
                    None => {
                        fields.refuse("/secret", "is missing");
                        Secret::new(Vec::new())
                    }
                };
                let given = parameters(&mut fields, self.algorithm, self.digits, self.period);
                (secret, given)
            }
        };
        fields.finish(Command::ImportTotp { secret, parameters, name })
    }
}

/// Confirms an enrollment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerifyTotp {
    /// The code that the app shows: digits of any script. Spaces, dashes and invisible characters
    /// do not matter.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "492039")]
    code: SecretText,
    /// A name for the factor, instead of the one given at the beginning.
    #[schema(min_length = 1, max_length = 100, example = "Phone")]
    name: Option<String>,
    /// A challenge of kind ENROLLMENT_REQUIRED of the same user, which this confirmation answers.
    #[schema(example = "chl_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    challenge_id: Option<String>,
}

impl VerifyTotp {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let code = fields.code("/code", self.code);
        let name = fields.name("/name", self.name);
        let (code, name) = fields.finish((code, name))?;
        let challenge = super::challenge_id(self.challenge_id)?;
        Ok(Command::ConfirmTotp { code, name, challenge })
    }
}

fn parameters(
    fields: &mut Fields,
    algorithm: Option<Algorithm>,
    digits: Option<u32>,
    period: Option<u32>,
) -> Parameters {
    let default = Parameters::default();
    let digits = digits.unwrap_or(u32::from(default.digits));
    fields.demand(matches!(digits, 6 | 8), "/digits", "must be 6 or 8");
    let period = fields.number("/period", period, 15..=120);
    Parameters {
        algorithm: algorithm.map_or(default.algorithm, Into::into),
        digits: if digits == 8 { 8 } else { 6 },
        period_seconds: period
            .and_then(|seconds| u16::try_from(seconds).ok())
            .unwrap_or(default.period_seconds),
    }
}

/// What an authenticator app needs. Shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TotpEnrollment {
    /// The id that the factor will have.
    #[schema(example = "fac_0c7ig9t6h8kq5v2m3n4p1r0s2g")]
    factor_id: String,
    /// The shared secret in base32 without padding, for typing in.
    #[schema(value_type = String, example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    secret: SecretText,
    /// The `otpauth://` address that the QR code holds.
    #[schema(value_type = String, example = "otpauth://totp/Acme:ann@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme")]
    qr_code_uri: SecretText,
    /// The QR code as an SVG document, four pixels a module and with its margin: show it as large as
    /// it is.
    #[schema(value_type = String, example = "<svg …></svg>")]
    qr_code_svg: SecretText,
    /// When the enrollment ends unconfirmed.
    expires_at: Time,
}

impl TotpEnrollment {
    fn new(enrollment: Enrollment) -> Result<Self, ApiError> {
        let secret = BASE32_NOPAD.encode(enrollment.secret.expose());
        Ok(Self {
            factor_id: enrollment.factor_id.to_string(),
            secret: SecretText::from(secret),
            qr_code_svg: SecretText::from(qr_code(enrollment.uri.expose())?),
            qr_code_uri: SecretText::from(enrollment.uri),
            expires_at: enrollment.expires_at.into(),
        })
    }
}

impl Answer for TotpEnrollment {
    const OPERATION: &'static str = "the beginning of a TOTP enrollment";

    fn from_reply(reply: Reply, _: &ApiState) -> Option<Result<Self, ApiError>> {
        match reply {
            Reply::TotpEnrollment(enrollment) => Some(Self::new(enrollment)),
            _ => None,
        }
    }
}

/// Modules of light around a code (ISO/IEC 18004 section 5.3.8).
const QUIET_ZONE: usize = 4;
/// Pixels of a module. A whole number, so that no module is drawn broader than its neighbour; four, so
/// that a camera before a screen without magnification tells them apart.
const MODULE_PIXELS: usize = 4;

/// A QR code as SVG, which has its size in pixels: whoever shows it must not scale it.
pub(crate) fn qr_code(content: &[u8]) -> Result<String, ApiError> {
    let code = QRBuilder::new(content)
        .ecl(ECL::M)
        .build()
        .map_err(|error| ApiError::QrCode(error.to_string()))?;
    let side = code.size + 2 * QUIET_ZONE;
    let pixels = side * MODULE_PIXELS;
    let mut dark = String::new();
    for row in 0..code.size {
        let mut at = 0;
        for run in code[row].chunk_by(|one, other| one.value() == other.value()) {
            if run.first().is_some_and(|module| module.value()) {
                let (x, y, length) = (at + QUIET_ZONE, row + QUIET_ZONE, run.len());
                dark.push_str(&format!("M{x} {y}h{length}v1h-{length}z"));
            }
            at += run.len();
        }
    }
    Ok(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{pixels}" height="{pixels}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path d="{dark}"/></svg>"##
    ))
}
