//! Character classes.

use std::fmt::Write as _;

use super::{Last, Translator, octal, push_literal};

/// One end of a range, or a class within the class.
enum Member {
    Character(char),
    Shorthand(char),
}

/// Translates a class, whose bracket has been read.
pub(super) fn translate(translator: &mut Translator) -> Option<()> {
    let mut out = "[".to_owned();
    if translator.accept('^') {
        out.push('^');
    }
    let mut is_first = true;
    loop {
        let character = translator.next()?;
        if character == ']' && !is_first {
            break;
        }
        is_first = false;
        let low = member(translator, character)?;
        if translator.peek() != Some('-') || translator.source.get(translator.at + 1) == Some(&']') {
            push(&mut out, &low, translator.flags.ascii);
            continue;
        }
        translator.at += 1;
        let character = translator.next()?;
        let (Member::Character(low), Member::Character(high)) = (low, member(translator, character)?) else {
            return None;
        };
        if low > high {
            return None;
        }
        push_literal(&mut out, low);
        out.push('-');
        push_literal(&mut out, high);
    }
    out.push(']');
    translator.write(&out, Last::Item);
    Some(())
}

fn member(translator: &mut Translator, character: char) -> Option<Member> {
    if character != '\\' {
        return Some(Member::Character(character));
    }
    let escaped = translator.next()?;
    match escaped {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => Some(Member::Shorthand(escaped)),
        'b' => Some(Member::Character('\u{8}')),
        '1'..='7' => {
            let mut digits = escaped.to_string();
            while digits.len() < 3
                && let Some(digit) = translator.peek().filter(|digit| digit.is_digit(8))
            {
                translator.at += 1;
                digits.push(digit);
            }
            octal(&digits).map(Member::Character)
        }
        other => translator.character_escape(other).map(Member::Character),
    }
}

fn push(out: &mut String, member: &Member, is_ascii: bool) {
    match member {
        Member::Character(character) => push_literal(out, *character),
        Member::Shorthand(letter) if letter.is_ascii_uppercase() => {
            let _ = write!(out, "[{}]", shorthand(*letter, is_ascii));
        }
        Member::Shorthand(letter) => out.push_str(shorthand(*letter, is_ascii)),
    }
}

/// What `\d`, `\s`, `\w` and their negations stand for in Python, as the inside of a class.
pub(super) fn shorthand(letter: char, is_ascii: bool) -> &'static str {
    match (letter, is_ascii) {
        ('d', true) => "0-9",
        ('D', true) => "^0-9",
        ('s', true) => r"\x20\t-\r",
        ('S', true) => r"^\x20\t-\r",
        ('w', true) => "0-9A-Za-z_",
        ('W', true) => "^0-9A-Za-z_",
        ('d', false) => r"\d",
        ('D', false) => r"^\d",
        ('s', false) => r"\s\x1c-\x1f",
        ('S', false) => r"^\s\x1c-\x1f",
        ('w', false) => r"\p{L}\p{N}_",
        _ => r"^\p{L}\p{N}_",
    }
}
