//! What `pages/base.html` puts around every page.

use super::assets;

/// The frame of a page. A template that extends `base.html` has one in its field `frame`.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The language of the page's texts, as in BCP 47.
    pub lang: &'static str,
    /// What the link says with which a keyboard passes over the header.
    pub skip: &'static str,
}

impl Frame {
    /// The frame of a page in English.
    pub const ENGLISH: Self = Self { lang: "en", skip: "Skip to content" };

    /// Where a file of the page lies.
    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }
}
