// SPDX-License-Identifier: MIT
//! Texts of messages. They have a fixed size, so that formatting allocates nothing, and no characters that a terminal
//! or a log interprets.

use std::fmt::{self, Write};
use std::str;

/// The maximum length of a text in bytes: the size of the message of a tuntap_error, without the NUL.
pub const MAX_LEN: usize = 247;
/// The maximum length of untrusted text in a message, in bytes.
const MAX_UNTRUSTED: usize = 96;

/// A text. It is truncated at the end of a character if it is too long. A control character becomes `\xNN`.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; MAX_LEN],
    len: u8,
    full: bool,
}

impl Text {
    const fn new() -> Self {
        Self { bytes: [0; MAX_LEN], len: 0, full: false }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }

    /// Appends the whole piece. If it does not fit, nothing is appended any more.
    fn add(&mut self, piece: &[u8]) {
        let start = usize::from(self.len);
        let end = start.saturating_add(piece.len());
        match (self.bytes.get_mut(start..end), u8::try_from(end)) {
            (Some(room), Ok(len)) if !self.full => {
                room.copy_from_slice(piece);
                self.len = len;
            }
            _ => self.full = true,
        }
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            match is_interpreted(character) {
                true => bytes.iter().for_each(|byte| self.add(&escape(*byte))),
                false => self.add(bytes),
            }
        }
        Ok(())
    }
}

/// Whether a terminal or a reader of lines interprets the character: it moves the cursor, changes the colour, ends a
/// line, or changes the direction of writing.
fn is_interpreted(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
}

fn escape(byte: u8) -> [u8; 4] {
    let digit = |nibble: u8| b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or(b'?');
    [b'\\', b'x', digit(byte >> 4), digit(byte & 0xf)]
}

impl From<fmt::Arguments<'_>> for Text {
    #[cold]
    #[inline(never)]
    fn from(sentence: fmt::Arguments<'_>) -> Self {
        let mut text = Self::new();
        // Writing to a Text does not fail, and neither does any of the arguments.
        let _ = text.write_fmt(sentence);
        text
    }
}

impl From<&str> for Text {
    #[cold]
    #[inline(never)]
    fn from(sentence: &str) -> Self {
        let mut text = Self::new();
        let _ = text.write_str(sentence);
        text
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.as_str().as_bytes()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

/// Makes a [`Text`] as `format!` makes a String.
macro_rules! text {
    ($($sentence:tt)*) => {
        $crate::model::text::Text::from(format_args!($($sentence)*))
    };
}
pub(crate) use text;

/// Untrusted text, as a message shows it: truncated if it is long, with `\xNN` for bytes that are not UTF-8.
pub struct Untrusted<'a>(pub &'a [u8]);

impl fmt::Display for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.beginning();
        for chunk in shown.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_str(if shown.len() < self.0.len() { "..." } else { "" })
    }
}

impl Untrusted<'_> {
    /// The part that is shown. It ends at the end of a character.
    fn beginning(&self) -> &[u8] {
        let follows = |at: usize| self.0.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        let within = (0..3_usize).take_while(|back| follows(MAX_UNTRUSTED.saturating_sub(*back))).count();
        self.0.get(..MAX_UNTRUSTED.saturating_sub(within)).unwrap_or(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_a_terminal_interprets_are_escaped() {
        let text = text!("a{}b", "\n\x1b[31m\0\x7f\u{9b}\u{61c}\u{202e}\u{feff}\u{e9} \\");
        let shown = "a\\x0a\\x1b[31m\\x00\\x7f\\xc2\\x9b\\xd8\\x9c\\xe2\\x80\\xae\\xef\\xbb\\xbf\u{e9} \\b";
        assert_eq!(text.as_str(), shown);
        assert_eq!(text!("{text}"), text);
    }

    #[test]
    fn long_texts_are_truncated_at_a_character() {
        let long = format!("x{}", "\u{e9}".repeat(200));
        let text = text!("{long}{}", "z");
        assert_eq!(text.as_str().len(), MAX_LEN);
        assert!(long.starts_with(text.as_str()));
        // Nothing is appended after text that did not fit, and an escape is never split.
        let text = text!("{}{}{}", "x".repeat(MAX_LEN - 3), '\n', "y");
        assert_eq!(text.as_str(), "x".repeat(MAX_LEN - 3));
    }

    #[test]
    fn untrusted_bytes_are_escaped_and_truncated() {
        let shown = |bytes: &[u8]| text!("{}", Untrusted(bytes)).as_str().to_owned();
        assert_eq!(shown(b"/x\n\xff\xc3y"), "/x\\x0a\\xff\\xc3y");
        assert_eq!(shown("/\u{e9}".as_bytes()), "/\u{e9}");
        assert_eq!(shown(&[b'x'; 96]), "x".repeat(96));
        assert_eq!(shown(&[b'x'; 97]), "x".repeat(96) + "...");
        let long = "x".to_owned() + &"\u{e9}".repeat(50);
        assert_eq!(shown(long.as_bytes()), "x".to_owned() + &"\u{e9}".repeat(47) + "...");
    }
}
