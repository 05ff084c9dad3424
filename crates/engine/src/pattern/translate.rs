//! From Python's pattern syntax to the syntax of the engines.
//!
//! The two look alike and differ in many corners: `\Z`, `{,3}`, `[[]`, `(?P=name)`, `(?a)`, a lone brace, repeats of
//! repeats. So every construct is read and written anew, and what Python would refuse is refused.
//! Left out: names of characters (`\N{…}`) and conditionals on groups further on are refused, and look-behind of
//! varying width is accepted.

use std::collections::HashMap;
use std::fmt::Write as _;

mod class;
#[cfg(test)]
mod tests;

/// A pattern in the engines' syntax.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Translation {
    pub(crate) pattern: String,
    /// Whether it holds look-around, back-references or the like, which the linear engine lacks.
    pub(crate) backtracks: bool,
}

/// Translates a pattern to match from the start of a text on; `None` if it is invalid. `before_newline`: whether `$`
/// must also match before a newline that ends the text.
pub(crate) fn translate(source: &str, before_newline: bool) -> Option<Translation> {
    let mut translator = Translator {
        source: source.chars().collect(),
        at: 0,
        out: r"\A(?:".to_owned(),
        backtracks: false,
        before_newline,
        flags: Flags::default(),
        frames: Vec::new(),
        names: HashMap::new(),
        groups: 0,
        last: Last::Nothing,
        is_start: true,
    };
    while let Some(character) = translator.next() {
        translator.item(character)?;
    }
    if !translator.frames.is_empty() {
        return None;
    }
    translator.out.push(')');
    Some(Translation {
        pattern: translator.out,
        backtracks: translator.backtracks,
    })
}

struct Translator {
    source: Vec<char>,
    at: usize,
    out: String,
    backtracks: bool,
    before_newline: bool,
    flags: Flags,
    /// The groups that are open, outermost first.
    frames: Vec<Frame>,
    names: HashMap<String, u32>,
    groups: u32,
    last: Last,
    /// Whether nothing but flags has been read, so that flags may follow.
    is_start: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    verbose: bool,
    ascii: bool,
    multiline: bool,
    dot_all: bool,
}

struct Frame {
    /// To be restored when the group closes.
    flags: Flags,
    /// The number of a capturing group.
    number: Option<u32>,
    /// Where in the output a look-around begins.
    assertion: Option<usize>,
}

/// What a quantifier would repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The start of a branch, or a position such as `^`.
    Nothing,
    Item,
    /// A look-around, which begins at this place of the output.
    Assertion(usize),
    Repeated,
}

impl Translator {
    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        Some(character)
    }

    fn peek(&self) -> Option<char> {
        self.source.get(self.at).copied()
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// The text up to `end`, which is consumed.
    fn until(&mut self, end: char) -> Option<String> {
        let length = self.source[self.at..]
            .iter()
            .position(|character| *character == end)?;
        let text = self.source[self.at..self.at + length].iter().collect();
        self.at += length + 1;
        Some(text)
    }

    fn item(&mut self, character: char) -> Option<()> {
        if self.flags.verbose {
            match character {
                ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' => return Some(()),
                '#' => {
                    while self.next().is_some_and(|character| character != '\n') {}
                    return Some(());
                }
                _ => {}
            }
        }
        let is_open = character == '(';
        match character {
            '(' => self.open()?,
            ')' => self.close()?,
            '|' => self.write("|", Last::Nothing),
            '^' if self.flags.multiline => self.write("(?m:^)", Last::Nothing),
            '^' => self.write(r"\A", Last::Nothing),
            '$' => self.end_of_text(),
            '.' if self.flags.dot_all => self.write("(?s:.)", Last::Item),
            '.' => self.write(".", Last::Item),
            '[' => class::translate(self)?,
            '\\' => self.escape()?,
            '*' | '+' | '?' => self.repeat(&character.to_string())?,
            '{' => match self.bounds() {
                Some(bounds) => self.repeat(&bounds)?,
                None => self.literal('{'),
            },
            character => self.literal(character),
        }
        // What opens may turn out to be flags, which see to it themselves.
        self.is_start &= is_open;
        Some(())
    }

    fn write(&mut self, text: &str, last: Last) {
        self.out.push_str(text);
        self.last = last;
        self.is_start = false;
    }

    fn literal(&mut self, character: char) {
        push_literal(&mut self.out, character);
        self.last = Last::Item;
        self.is_start = false;
    }

    fn end_of_text(&mut self) {
        if self.flags.multiline {
            self.write("(?m:$)", Last::Nothing);
        } else if self.before_newline {
            self.backtracks = true;
            self.write(r"(?=\n?\z)", Last::Nothing);
        } else {
            self.write(r"\z", Last::Nothing);
        }
    }

    /// A quantifier, and whether it is lazy or possessive.
    fn repeat(&mut self, quantifier: &str) -> Option<()> {
        let mode = if self.accept('?') {
            "?"
        } else if self.accept('+') {
            "+"
        } else {
            ""
        };
        match self.last {
            Last::Nothing | Last::Repeated => return None,
            Last::Item => {
                self.backtracks |= mode == "+";
                self.out.push_str(quantifier);
                self.out.push_str(mode);
            }
            // The engines do not repeat look-around. Once is as good as often, and none as good as an alternative.
            Last::Assertion(start) => {
                if quantifier.starts_with(['*', '?']) || quantifier.starts_with("{0") {
                    self.out.insert_str(start, "(?:");
                    self.out.push_str("|)");
                }
            }
        }
        self.last = Last::Repeated;
        Some(())
    }

    /// The rest of `{m}`, `{m,}`, `{,n}` or `{m,n}`; `None`, and nothing consumed, if the brace is a literal.
    fn bounds(&mut self) -> Option<String> {
        let start = self.at;
        let parsed = self.until('}').and_then(|text| {
            let (low, high) = text.split_once(',').unwrap_or((&text, &text));
            let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let is_bounds = !text.is_empty() && is_number(low) && is_number(high);
            let low = if low.is_empty() { "0" } else { low };
            is_bounds.then(|| {
                if text.contains(',') {
                    format!("{{{low},{high}}}")
                } else {
                    format!("{{{low}}}")
                }
            })
        });
        if parsed.is_none() {
            self.at = start;
        }
        parsed
    }

    fn open(&mut self) -> Option<()> {
        if !self.accept('?') {
            self.groups += 1;
            return self.enter("(", Some(self.groups));
        }
        match self.next()? {
            ':' => self.enter("(?:", None),
            'P' => match self.next()? {
                '<' => self.open_named(),
                '=' => {
                    let name = self.until(')')?;
                    let number = *self.names.get(&name)?;
                    self.reference(number)
                }
                _ => None,
            },
            '#' => self.until(')').map(drop),
            '=' => self.look_around("(?="),
            '!' => self.look_around("(?!"),
            '>' => self.enter_backtracking("(?>"),
            '<' => match self.next()? {
                '=' => self.look_around("(?<="),
                '!' => self.look_around("(?<!"),
                _ => None,
            },
            '(' => {
                let name = self.until(')')?;
                let number = self.names.get(&name).copied().or_else(|| name.parse().ok())?;
                let is_known = number > 0 && number <= self.groups;
                is_known
                    .then(|| self.enter_backtracking(&format!("(?({number})")))
                    .flatten()
            }
            flag => {
                self.at -= 1;
                debug_assert_eq!(self.peek(), Some(flag));
                self.inline_flags()
            }
        }
    }

    fn enter(&mut self, opening: &str, number: Option<u32>) -> Option<()> {
        /// Groups within groups; the engines' parsers recurse.
        const MAX_NESTING: usize = 100;
        if self.frames.len() >= MAX_NESTING {
            return None;
        }
        self.frames.push(Frame {
            flags: self.flags,
            number,
            assertion: None,
        });
        self.write(opening, Last::Nothing);
        Some(())
    }

    fn enter_backtracking(&mut self, opening: &str) -> Option<()> {
        self.backtracks = true;
        self.enter(opening, None)
    }

    fn look_around(&mut self, opening: &str) -> Option<()> {
        let start = self.out.len();
        self.enter_backtracking(opening)?;
        self.frames.last_mut()?.assertion = Some(start);
        Some(())
    }

    fn open_named(&mut self) -> Option<()> {
        let name = self.until('>')?;
        let is_name = name.chars().enumerate().all(|(index, character)| {
            character == '_' || character.is_alphabetic() || (index > 0 && character.is_alphanumeric())
        });
        self.groups += 1;
        let is_new = self.names.insert(name.clone(), self.groups).is_none();
        if name.is_empty() || !is_name || !is_new {
            return None;
        }
        self.enter("(", Some(self.groups))
    }

    fn close(&mut self) -> Option<()> {
        let frame = self.frames.pop()?;
        self.flags = frame.flags;
        self.write(")", frame.assertion.map_or(Last::Item, Last::Assertion));
        Some(())
    }

    /// `(?ims)` at the start of the pattern, or `(?i-s:` anywhere.
    fn inline_flags(&mut self) -> Option<()> {
        let mut flags = self.flags;
        let (mut ignore_case, mut is_off, mut any) = (None, false, false);
        let (mut ascii, mut unicode) = (false, false);
        loop {
            let flag = self.next()?;
            match flag {
                'i' => ignore_case = Some(!is_off),
                'm' => flags.multiline = !is_off,
                's' => flags.dot_all = !is_off,
                'x' => flags.verbose = !is_off,
                'a' if !is_off && !unicode => {
                    flags.ascii = true;
                    ascii = true;
                }
                'u' if !is_off && !ascii => {
                    flags.ascii = false;
                    unicode = true;
                }
                '-' if !is_off => {
                    is_off = true;
                    any = false;
                    continue;
                }
                ')' if any && !is_off && self.is_start => {
                    self.flags = flags;
                    self.out.push_str(if ignore_case.is_some() { "(?i)" } else { "" });
                    return Some(());
                }
                ':' if any => {
                    let opening = match ignore_case {
                        Some(true) => "(?i:",
                        Some(false) => "(?-i:",
                        None => "(?:",
                    };
                    self.enter(opening, None)?;
                    self.flags = flags;
                    return Some(());
                }
                _ => return None,
            }
            any = true;
        }
    }

    /// A back-reference to a group that has been closed.
    fn reference(&mut self, number: u32) -> Option<()> {
        let is_open = self.frames.iter().any(|frame| frame.number == Some(number));
        if number == 0 || number > self.groups || is_open {
            return None;
        }
        self.backtracks = true;
        self.write(&format!(r"(?:\{number})"), Last::Item);
        Some(())
    }

    /// What follows a backslash outside a class.
    fn escape(&mut self) -> Option<()> {
        let character = self.next()?;
        match character {
            'A' => self.write(r"\A", Last::Nothing),
            'Z' => self.write(r"\z", Last::Nothing),
            'b' => self.write(r"\b", Last::Nothing),
            'B' => self.write(r"\B", Last::Nothing),
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                let class = class::shorthand(character, self.flags.ascii);
                self.write(&format!("[{class}]"), Last::Item);
            }
            '1'..='9' => return self.numbered(character),
            other => {
                let character = self.character_escape(other)?;
                self.literal(character);
            }
        }
        Some(())
    }

    /// `\1` to `\99`, unless three octal digits make it a character.
    fn numbered(&mut self, first: char) -> Option<()> {
        let mut digits = first.to_string();
        if let Some(second) = self.peek().filter(char::is_ascii_digit) {
            self.at += 1;
            digits.push(second);
            let third = self.peek().filter(|digit| digit.is_digit(8));
            if let Some(third) = third.filter(|_| first.is_digit(8) && second.is_digit(8)) {
                self.at += 1;
                digits.push(third);
                self.literal(octal(&digits)?);
                return Some(());
            }
        }
        self.reference(digits.parse().ok()?)
    }

    /// The escapes that stand for one character, inside and outside a class.
    fn character_escape(&mut self, character: char) -> Option<char> {
        match character {
            'a' => Some('\u{7}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            'x' => self.hexadecimal(2),
            'u' => self.hexadecimal(4),
            'U' => self.hexadecimal(8),
            '0' => {
                let mut digits = "0".to_owned();
                while digits.len() < 3
                    && let Some(digit) = self.peek().filter(|digit| digit.is_digit(8))
                {
                    self.at += 1;
                    digits.push(digit);
                }
                octal(&digits)
            }
            other if other.is_ascii_alphanumeric() => None,
            other => Some(other),
        }
    }

    fn hexadecimal(&mut self, length: usize) -> Option<char> {
        let digits: String = self.source.get(self.at..self.at + length)?.iter().collect();
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += length;
        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
    }
}

/// A character by its octal digits, at most `\377`.
fn octal(digits: &str) -> Option<char> {
    u8::from_str_radix(digits, 8).ok().map(char::from)
}

/// Writes a character so that neither engine takes it for syntax, in a class or outside one.
fn push_literal(out: &mut String, character: char) {
    if character.is_ascii() && !character.is_ascii_alphanumeric() {
        let _ = write!(out, r"\x{:02x}", character as u32);
    } else {
        out.push(character);
    }
}
