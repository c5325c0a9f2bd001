//! The hosted pages, without a browser: what is sent, what comes back, and what is refused.

mod api;
mod browser;
mod forged;
mod journeys;
mod kept;
mod links;
mod said;
