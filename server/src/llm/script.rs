//! Notices an answer in a script that nobody in the conversation writes.
//!
//! Models that think in Chinese now and then answer in it, from the first word on or half-way. A few
//! letters in a row may be a name or a quotation; a whole sentence is not for a user who wrote none. As
//! long as an answer holds nothing but such letters it is held back, so that another attempt is free.
//!
//! Only the scripts of East Asia are told from all others. It knows no language: where the prompt holds
//! one such letter, everything is let through.

/// An answer went on in a foreign script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("answer is in a script that nobody in the conversation writes")]
pub struct Foreign;

/// Watches one answer.
#[derive(Debug)]
pub struct Watch {
    allowed: usize,
    in_a_row: usize,
    held: String,
    is_at_home: bool,
}

impl Watch {
    /// Makes a watch that lets through so many foreign letters in a row.
    pub const fn new(allowed: usize) -> Self {
        Self { allowed, in_a_row: 0, held: String::new(), is_at_home: false }
    }

    /// Takes the next piece and returns what may be shown by now.
    pub fn push(&mut self, piece: &str) -> Result<String, Foreign> {
        for letter in piece.chars().filter(|letter| letter.is_alphabetic()) {
            if is_east_asian(letter) {
                self.in_a_row += 1;
            } else {
                self.in_a_row = 0;
                self.is_at_home = true;
            }
            if self.in_a_row > self.allowed {
                return Err(Foreign);
            }
        }
        self.held.push_str(piece);
        if self.is_at_home || self.in_a_row == 0 { Ok(self.finish()) } else { Ok(String::new()) }
    }

    /// Returns what was held back, once there is no more to come.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// Returns whether a text holds a letter of a script of East Asia.
pub fn has_east_asian(text: &str) -> bool {
    text.chars().any(is_east_asian)
}

/// Kana, Han and Hangul.
const fn is_east_asian(letter: char) -> bool {
    matches!(letter,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is shown after each piece, with a limit of four letters.
    fn shown(pieces: &[&str]) -> Result<Vec<String>, Foreign> {
        let mut watch = Watch::new(4);
        pieces.iter().map(|piece| watch.push(piece)).collect()
    }

    #[test]
    fn an_answer_in_another_script_is_noticed_before_anything_is_shown() {
        assert_eq!(shown(&["好", "的，", "我们", "一", "步"]), Err(Foreign));
        assert_eq!(shown(&["好", "的，"]), Ok(vec![String::new(), String::new()]));
    }

    #[test]
    fn an_answer_that_changes_half_way_is_noticed_within_the_limit() {
        assert_eq!(shown(&["Yes, ", "我们一步"]).unwrap(), ["Yes, ", "我们一步"]);
        assert_eq!(shown(&["Yes, ", "我们一步", "一"]), Err(Foreign));
    }

    #[test]
    fn a_few_letters_are_a_name_or_a_quotation() {
        assert_eq!(shown(&["谢谢", " means thanks."]).unwrap(), ["", "谢谢 means thanks."]);
        assert_eq!(shown(&["¿Sí? ", "Да, 12 mg."]).unwrap(), ["¿Sí? ", "Да, 12 mg."]);
    }

    #[test]
    fn what_is_held_back_is_shown_at_the_end() {
        let mut watch = Watch::new(4);

        assert_eq!(watch.push("谢谢"), Ok(String::new()));
        assert_eq!(watch.finish(), "谢谢");
    }

    #[test]
    fn the_scripts_of_east_asia_are_known() {
        for text in ["汉字", "かな", "カナ", "한글", "a 𠮷"] {
            assert!(has_east_asian(text), "{text}");
        }
        assert!(!has_east_asian("Ελληνικά, русский, العربية, français — “12”"));
    }
}
