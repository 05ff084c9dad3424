use crate::pattern::Pattern;

#[test]
fn patterns_match_as_in_python() {
    for (pattern, text, expected) in [
        ("b", "ab", false),
        ("a", "ab", true),
        ("a$", "a\n", true),
        (r"a\Z", "a\n", false),
        ("a$", "a\n\n", false),
        ("(?m)a$", "a\nb", true),
        ("(a)(b)?$", "a\n", true),
        (r"(?P<x>a|b)(?P=x)", "bb", true),
        (r"(?P<x>a|b)(?P=x)", "ab", false),
        (r"(\w+) \1$", "hey hey", true),
        ("(?=a)a(?!b)", "ac", true),
        ("(?=a)a(?!b)", "ab", false),
        ("a.*(?<=c)$", "abc", true),
        ("(a)?b(?(1)c|d)$", "bd", true),
        ("(a)?b(?(1)c|d)$", "abd", false),
        ("a{,2}$", "aa", true),
        ("a{,2}$", "aaa", false),
        ("a{", "a{", true),
        ("a{x}", "a{x}", true),
        ("{}", "{}", true),
        ("a{2", "aa", false),
        ("]", "]", true),
        ("[]a]+$", "]a", true),
        ("[^]a]", "b", true),
        ("[[]", "[", true),
        ("[a&&b]$", "&", true),
        ("[a-]$", "-", true),
        (r"[\w-]+$", "a-é", true),
        (r"[\]]", "]", true),
        (r"(?a)\w$", "é", false),
        (r"\w$", "é", true),
        (r"\d$", "٣", true),
        (r"\s$", "\u{1c}", true),
        ("(?i)ABC$", "abc", true),
        ("A(?i:B)C", "AbC", true),
        ("A(?i:B)C", "Abc", false),
        ("(?s).$", "\n", true),
        (".", "\n", false),
        ("(?x) a b # comment\n c", "abc", true),
        ("(?x) a[ ]b", "a b", true),
        ("a(?#note)b", "ab", true),
        (r"\x41\u0042\103", "ABC", true),
        (r"\0", "\0", true),
        (r"[\b]", "\u{8}", true),
        ("a++b", "aab", true),
        ("a++ab", "aab", false),
        ("(?>a+)ab", "aab", false),
        ("^abc", "abc", true),
        ("a|b$", "ax", true),
        ("", "anything", true),
        ("é+$", "éé", true),
        ("a~-#b", "a~-#b", true),
        (r"a\.b", "a.b", true),
        (r"(a)\10", "a", false),
        ("(?=b)*a(?!b){2}", "ac", true),
    ] {
        assert_eq!(
            Pattern::new(pattern).is_match(text),
            expected,
            "{pattern:?} on {text:?}"
        );
    }
}

#[test]
fn what_python_refuses_matches_nothing() {
    for pattern in [
        "(",
        ")",
        "[",
        "[a",
        "a**",
        "a{2}{3}",
        "*a",
        "+",
        "?",
        "|*",
        "(*a)",
        "^*",
        r"\",
        r"\z",
        r"\e",
        r"\p{L}",
        r"\xg0",
        "(?<x>a)",
        "(?P<1>a)",
        "(?P<x>a)(?P<x>b)",
        "(?P=x)",
        r"\1",
        r"(a\1)",
        "a(?i)b",
        "(?L)a",
        "(?)",
        "(?z:a)",
        "[b-a]",
        r"[\w-a]",
        "[]",
        "{2}",
        "(?au)a",
        "(?i-i",
        "(?(9)a|b)",
        "(?",
        r"[\A]",
        r"[\8]",
        "a{2,1}",
        r"\N{DIGIT ONE}",
        r"\u00",
        "(?-i)a",
        "(?i-:a)",
    ] {
        let pattern = Pattern::new(pattern);
        assert!(!pattern.is_valid(), "{:?}", pattern.source());
        assert!(!pattern.is_match("aabbcc"), "{:?}", pattern.source());
    }
}

#[test]
fn no_pattern_takes_long() {
    let text = "a".repeat(2_000) + "!";
    let nested = "(?=".repeat(200) + "a" + &")".repeat(200);
    for pattern in [
        "^(a+)+$",
        r"^(a|aa)+\1$",
        r"(a*)*\1b",
        "(?=(a+)+$)",
        "((a{1,50}){1,50}){1,50}$",
        &nested,
    ] {
        let started = std::time::Instant::now();
        assert!(
            !Pattern::new(pattern).is_match(&text) || pattern.starts_with("(?=(?="),
            "{pattern}"
        );
        assert!(
            started.elapsed().as_millis() < 2_000,
            "{pattern} took {:?}",
            started.elapsed()
        );
    }
}
