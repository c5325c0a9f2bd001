//! Enrolling authenticator apps (RFC 6238).

use countersign_core::command::Command;
use countersign_core::factor::totp::Parameters;
use countersign_core::reply::{Reply, TotpEnrollment as Enrollment};
use data_encoding::BASE32_NOPAD;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Algorithm, Answer, SecretText, Time};
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
}

impl EnrollTotp {
    pub(crate) fn command(self) -> Result<Command, Problem> {
        let mut fields = Fields::new();
        let command = Command::BeginTotp {
            name: fields.name("/name", self.name),
            parameters: parameters(&mut fields, self.algorithm, self.digits, self.period),
            account_name: fields.name("/accountName", self.account_name),
        };
        fields.finish(command)
    }
}

/// Takes over a secret that an authenticator app already has.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ImportTotp {
    /// The shared secret in base32, 10–128 bytes; case, spaces and padding do not matter.
    #[schema(value_type = String, example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    secret: SecretText,
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
        let command = Command::ImportTotp {
            secret: fields.totp_secret("/secret", &self.secret),
            parameters: parameters(&mut fields, self.algorithm, self.digits, self.period),
            name: fields.name("/name", self.name),
        };
        fields.finish(command)
    }
}

/// Confirms an enrollment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VerifyTotp {
    /// The code that the app shows. Spaces and dashes do not matter.
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
    /// The QR code as an SVG document.
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

/// One unit a module, with the quiet zone of four modules that ISO/IEC 18004 asks for.
/// A QR code as SVG.
pub(crate) fn qr_code(content: &[u8]) -> Result<String, ApiError> {
    let code = QRBuilder::new(content)
        .ecl(ECL::M)
        .build()
        .map_err(|error| ApiError::QrCode(error.to_string()))?;
    Ok(SvgBuilder::default().to_str(&code))
}
