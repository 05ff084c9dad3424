//! From Python's pattern syntax to the syntax of the engines.

/// A pattern in the engines' syntax.
pub(crate) struct Translation {
    pub(crate) pattern: String,
    /// Whether it holds look-around, back-references or the like, which the linear engine lacks.
    pub(crate) backtracks: bool,
}

pub(crate) fn translate(source: &str, _before_newline: bool) -> Option<Translation> {
    Some(Translation {
        pattern: format!(r"\A(?:{source})"),
        backtracks: source.contains("(?="),
    })
}
