//! What every page is made of: the files it loads, the frame around it, and the answer it is sent
//! in.
//!
//! Pages are rendered here, from templates in `pages/`, and load nothing but what is in
//! [`assets`]: no file of another origin, no script or style within the page. So the policy that
//! goes with each ([`answer`]) can be the strictest one that browsers know.

pub(crate) mod answer;
pub(crate) mod assets;
mod frame;

pub use answer::html;
pub use assets::url as asset_url;
pub use frame::Frame;
