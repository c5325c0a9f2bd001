//! Text as people type and paste it. What is meant to be a code, a recovery code or a telephone number
//! is cleaned here and nowhere else, so that one rule holds wherever one is taken: digits of every
//! script are digits, what cannot be seen is not there, and a dash is a dash whatever it looks like.

use crate::secret::Secret;

/// The zeros of all scripts. Decimal digits (general category Nd) come in runs of ten in ascending
/// order: the Unicode Standard guarantees it (section 4.6). This is Unicode 17; a test compares the
/// list with another source. ASCII is not listed.
#[rustfmt::skip]
const ZEROS: &[char] = &[
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}',
    '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}',
    '\u{1040}', '\u{1090}', '\u{17e0}', '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}',
    '\u{1b50}', '\u{1bb0}', '\u{1c40}', '\u{1c50}', '\u{a620}', '\u{a8d0}', '\u{a900}', '\u{a9d0}',
    '\u{a9f0}', '\u{aa50}', '\u{abf0}', '\u{ff10}', '\u{104a0}', '\u{10d30}', '\u{10d40}',
    '\u{11066}', '\u{110f0}', '\u{11136}', '\u{111d0}', '\u{112f0}', '\u{11450}', '\u{114d0}',
    '\u{11650}', '\u{116c0}', '\u{116d0}', '\u{116da}', '\u{11730}', '\u{118e0}', '\u{11950}',
    '\u{11bf0}', '\u{11c50}', '\u{11d50}', '\u{11da0}', '\u{11de0}', '\u{11f50}', '\u{16130}',
    '\u{16a60}', '\u{16ac0}', '\u{16b50}', '\u{16d70}', '\u{1ccf0}', '\u{1d7ce}', '\u{1d7d8}',
    '\u{1d7e2}', '\u{1d7ec}', '\u{1d7f6}', '\u{1e140}', '\u{1e2f0}', '\u{1e4f0}', '\u{1e5f1}',
    '\u{1e950}', '\u{1fbf0}',
];

/// What cannot be seen: the property Default_Ignorable_Code_Point. Soft hyphens, joiners, marks and
/// overrides of the writing direction, the byte order mark, variation selectors, tags.
const INVISIBLE: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// What looks like a dash, besides the ASCII one: the general category Pd, and the minus signs,
/// bullets and prolonged sound marks that keyboards give in its place.
const DASHES: &[(char, char)] = &[
    ('\u{2d7}', '\u{2d7}'),
    ('\u{58a}', '\u{58a}'),
    ('\u{5be}', '\u{5be}'),
    ('\u{1400}', '\u{1400}'),
    ('\u{1806}', '\u{1806}'),
    ('\u{2010}', '\u{2015}'),
    ('\u{2043}', '\u{2043}'),
    ('\u{2212}', '\u{2212}'),
    ('\u{2500}', '\u{2501}'),
    ('\u{2e17}', '\u{2e17}'),
    ('\u{2e1a}', '\u{2e1a}'),
    ('\u{2e3a}', '\u{2e3b}'),
    ('\u{2e40}', '\u{2e40}'),
    ('\u{2e5d}', '\u{2e5d}'),
    ('\u{301c}', '\u{301c}'),
    ('\u{3030}', '\u{3030}'),
    ('\u{30a0}', '\u{30a0}'),
    ('\u{30fc}', '\u{30fc}'),
    ('\u{fe31}', '\u{fe32}'),
    ('\u{fe58}', '\u{fe58}'),
    ('\u{fe63}', '\u{fe63}'),
    ('\u{ff70}', '\u{ff70}'),
    ('\u{10d6e}', '\u{10d6e}'),
    ('\u{10ead}', '\u{10ead}'),
];

/// Full-width ASCII, as East Asian keyboards type it, and how far it is from ASCII.
const FULL_WIDTH: std::ops::RangeInclusive<char> = '\u{ff01}'..='\u{ff5e}';
const FULL_WIDTH_OFFSET: u32 = 0xFEE0;

/// The text as it was meant: a decimal digit of any script as the ASCII digit of its value, a dash as
/// `-`, white space as a space, full-width ASCII as ASCII, and without what cannot be seen. All else
/// stays as it is.
pub fn clean(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter_map(clean_char)
}

fn clean_char(c: char) -> Option<char> {
    if (' '..='~').contains(&c) {
        return Some(c);
    }
    if c.is_whitespace() {
        return Some(' ');
    }
    if c.is_control() || within(INVISIBLE, c) {
        return None;
    }
    if within(DASHES, c) {
        return Some('-');
    }
    if FULL_WIDTH.contains(&c) {
        return char::from_u32(u32::from(c) - FULL_WIDTH_OFFSET);
    }
    Some(digit(c).unwrap_or(c))
}

/// The ASCII digit of a decimal digit of another script.
fn digit(c: char) -> Option<char> {
    let after = ZEROS.partition_point(|zero| *zero <= c);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    char::from_digit(u32::from(c) - u32::from(*zero), 10)
}

fn within(ranges: &[(char, char)], c: char) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= c);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, last)| c <= *last)
}

/// Whether a character only sets off others in a code: a space or a dash. Of cleaned text.
pub(crate) const fn separates(c: char) -> bool {
    matches!(c, ' ' | '-')
}

/// The digits of a code that has `length` of them, in ASCII and without spaces and dashes. `None` if
/// the text cannot be such a code: then nothing was guessed.
pub fn code(text: &str, length: usize) -> Option<Secret> {
    let mut digits = Vec::with_capacity(length);
    for c in clean(text).filter(|c| !separates(*c)) {
        if !c.is_ascii_digit() || digits.len() == length {
            return None;
        }
        digits.push(u8::try_from(c).ok()?);
    }
    (digits.len() == length).then(|| Secret::new(digits))
}

/// The bytes of a secret in base32 (RFC 4648 section 6), in any case, with or without spaces, dashes
/// and padding. Bits at its end that make no byte are dropped, as apps do; section 3.5 leaves it to the
/// reader. `None` if something else is in it.
pub fn base32(text: &str) -> Option<Secret> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut held) = (0u32, 0u32);
    let mut padded = false;
    for c in clean(text).filter(|c| !separates(*c)) {
        let value = match c.to_ascii_uppercase() {
            '=' => {
                padded = true;
                continue;
            }
            letter @ 'A'..='Z' if !padded => u32::from(letter) - u32::from('A'),
            digit @ '2'..='7' if !padded => u32::from(digit) - u32::from('2') + 26,
            _ => return None,
        };
        bits = (bits << 5 | value) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(Secret::new(bytes))
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn all() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    /// The regex crate carries tables of its own, made from the Unicode Character Database.
    fn having(property: &str) -> impl Iterator<Item = char> {
        let class = Regex::new(&format!(r"^\p{{{property}}}$")).unwrap();
        all().filter(move |c| class.is_match(c.encode_utf8(&mut [0; 4])))
    }

    #[test]
    fn every_decimal_digit_is_its_value() {
        let digits: Vec<char> = having("Nd").collect();
        assert!(digits.len() >= 760, "{}", digits.len());
        for ten in digits.chunks(10) {
            let values: String = ten.iter().filter_map(|c| clean_char(*c)).collect();
            assert_eq!(values, "0123456789", "from U+{:04X}", u32::from(ten[0]));
        }
        assert_eq!(clean_char('\u{11de3}'), Some('3'), "new in Unicode 17");
        let known: usize = all().filter(|c| !c.is_ascii() && digit(*c).is_some()).count();
        assert_eq!(known, ZEROS.len() * 10);
        for other in ['½', '²', '一', 'Ⅳ', '①', 'a', 'é'] {
            assert_eq!(digit(other), None, "{other}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_dropped_and_every_dash_and_space_is_one() {
        for c in having("Default_Ignorable_Code_Point") {
            assert_eq!(clean_char(c), None, "U+{:04X}", u32::from(c));
        }
        for c in having("Pd").chain(['\u{2212}', '\u{30fc}', '\u{ff70}']) {
            assert_eq!(clean_char(c), Some('-'), "U+{:04X}", u32::from(c));
        }
        for c in having("White_Space") {
            assert_eq!(clean_char(c), Some(' '), "U+{:04X}", u32::from(c));
        }
        assert!(ZEROS.is_sorted() && INVISIBLE.is_sorted() && DASHES.is_sorted());
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for text in [
            "123456",
            " 123 456\n",
            "123-456",
            "١٢٣٤٥٦",
            "۱۲۳۴۵۶",
            "१२३४५६",
            "１２３　４５６",
            "𝟏𝟐𝟑𝟒𝟓𝟔",
            "\u{200e}123456\u{200f}",
            "\u{202a}123\u{2011}456\u{202c}",
            "\u{2066}123\u{202f}456\u{2069}",
            "\u{feff}1\u{200b}2\u{2060}3\u{ad}456",
            "123\u{2010}456",
            "123\u{2212}456",
            "123\u{2015}456",
            "１２３－４５６",
            "１２３ー４５６",
        ] {
            let read = code(text, 6);
            assert_eq!(read.as_ref().map(Secret::expose_str), Some("123456"), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        let texts =
            ["", " ", "12345", "1234567", "12345a", "12345½", "12345²", "1234５6七", "0x1E240"];
        for text in texts {
            assert_eq!(code(text, 6), None, "{text:?}");
        }
        assert!(code("12345678", 8).is_some() && code("123456", 8).is_none());
    }

    #[test]
    fn bits_at_the_end_of_a_secret_that_make_no_byte_are_dropped() {
        // RFC 4648 section 10, and more letters than the bytes need.
        for (text, bytes) in [
            ("", &b""[..]),
            ("M", b""),
            ("MY======", b"f"),
            ("mz", b"f"),
            ("MZX", b"f"),
            ("MZXQ====", b"fo"),
            ("MZXW6===", b"foo"),
            ("MZXW6Y", b"foo"),
            ("MZXW6YQ=", b"foob"),
            ("mzxw-6ytb", b"fooba"),
            ("MZXW6YTBO", b"fooba"),
            (" MZXW\u{a0}6YTB OI=== === ", b"foobar"),
            ("ＭＺＸＷ６\u{200b}", b"foo"),
        ] {
            let read = base32(text);
            assert_eq!(read.as_ref().map(Secret::expose), Some(bytes), "{text}");
        }
        for text in ["M1", "M8", "M0", "M_", "MÄ", "MY=Q"] {
            assert_eq!(base32(text), None, "{text}");
        }
    }
}
