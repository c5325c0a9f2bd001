//! What a text message costs: providers charge by segment, 160 characters of the GSM alphabet or 70
//! of any (3GPP TS 23.038 sections 6.1.2.1 and 6.2; joined ones hold 153 and 67, TS 23.040).

/// The basic alphabet beyond what it has in common with ASCII.
const BASIC: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
/// What takes two places.
const EXTENSION: &str = "^{}\\[~]|€\u{c}";

/// How many segments a text takes.
pub(in crate::delivery) fn segments(text: &str) -> usize {
    let (length, alone, joined) = match septets(text) {
        Some(septets) => (septets, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if length <= alone { 1 } else { length.div_ceil(joined) }
}

/// Whether a text is of the GSM alphabet alone.
pub(in crate::delivery) fn fits(text: &str) -> bool {
    septets(text).is_some()
}

fn septets(text: &str) -> Option<usize> {
    text.chars()
        .map(|letter| match letter {
            letter if EXTENSION.contains(letter) => Some(2),
            '`' => None,
            ' '..='~' | '\n' | '\r' => Some(1),
            letter if BASIC.contains(letter) => Some(1),
            _ => None,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_in_the_alphabet_that_is_needed() {
        for (text, expected) in [
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("ż".repeat(70), 1),
            ("ż".repeat(71), 2),
            ("😀".repeat(35), 1),
            ("😀".repeat(36), 2),
            (format!("{}`", "a".repeat(70)), 2),
            (String::new(), 1),
        ] {
            assert_eq!(segments(&text), expected, "{text}");
        }
        assert!(fits("Ärger, £5 @ Ωmega_") && !fits("ça"));
    }
}
