//! Ids are never taken for personal data: a million of each kind in a release build, thirty thousand in a debug build.

use burgee_model::TraitValue;
use burgee_model::pii::AllowList;

const COUNT: u64 = if cfg!(debug_assertions) { 30_000 } else { 1_000_000 };

/// `SplitMix64`: the same numbers on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }
}

/// Nothing may be found in any of so many texts, made from random numbers and from how many there were.
fn nothing_in(make: impl Fn(&mut Random, u64) -> String) {
    let list = AllowList::default();
    let mut random = Random(20_261_129);
    for number in 0..COUNT {
        let text = make(&mut random, number);
        assert_eq!(list.find(&text, ""), None, "{text}");
    }
}

fn hyphenated(id: u128, version: u128) -> String {
    let id = id & !(0xf << 76) & !(0xc << 60) | version << 76 | 0x8 << 60;
    let hex = format!("{id:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[test]
fn random_uuids_are_not() {
    nothing_in(|random, _| hyphenated(random.wide(), 4));
    nothing_in(|random, _| hyphenated(random.wide(), 4).to_uppercase());
    nothing_in(|random, _| hyphenated(random.wide(), 4).replace('-', ""));
}

#[test]
fn uuids_of_a_time_are_not() {
    let milliseconds = |number: u64| u128::from(1_700_000_000_000 + number * 997);
    nothing_in(|random, number| hyphenated(milliseconds(number) << 80 | random.wide() >> 48, 7));
}

#[test]
fn ulids_are_not() {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    nothing_in(|random, number| {
        let id = u128::from(1_700_000_000_000 + number * 997) << 80 | random.wide() >> 48;
        let letter = |place: u32| char::from(LETTERS[(id >> (5 * place)) as usize & 31]);
        (0..26).rev().map(letter).collect()
    });
}

#[test]
fn integers_of_every_length_are_not() {
    let of_length = |random: &mut Random, number: u64| {
        let length = number % 22 + 1;
        random.wide() % 10_u128.pow(length as u32)
    };
    nothing_in(|random, number| of_length(random, number).to_string());
    nothing_in(|random, number| format!("-{}", of_length(random, number)));
    nothing_in(|random, number| format!("user-{}", of_length(random, number)));
    nothing_in(|random, number| format!("{:022}", of_length(random, number)));
    let list = AllowList::default();
    let mut random = Random(7);
    for _ in 0..COUNT {
        let value = TraitValue::Int(random.next() as i64);
        assert_eq!(list.find_in_value(&value, "score"), None);
    }
}

#[test]
fn ids_of_databases_dates_and_decimals_are_not() {
    nothing_in(|random, _| format!("{:024x}", random.wide() >> 32));
    nothing_in(|random, _| {
        let at = random.next();
        let (month, day) = (at % 12 + 1, at / 12 % 28 + 1);
        let (hour, minute, second) = (at / 400 % 24, at / 10_000 % 60, at / 600_000 % 60);
        format!(
            "20{:02}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}+0{}:00",
            at % 40,
            at % 1_000_000,
            at % 9
        )
    });
    nothing_in(|random, _| format!("{}", random.next() as i64 as f64 / 1e9));
    nothing_in(|random, _| {
        let at = random.next();
        format!(
            "{}.{}.{}-rc.{}",
            at % 40,
            at / 40 % 100,
            at / 4000 % 1000,
            at / 4_000_000 % 20
        )
    });
}
