//! Messages to people, handed to peers that speak as the providers do: a real mail server, mail
//! servers that misbehave, and receivers of each SMS provider's format. Configured as an operator
//! does it, through the settings.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![expect(clippy::print_stderr, reason = "tells which tests were left out")]

mod authority;
mod http_peer;
mod mail_server;
mod parcels;
mod secrets;
mod sms;
mod smtp_misbehaving;
mod smtp_peer;
mod smtp_real;
mod sns;
