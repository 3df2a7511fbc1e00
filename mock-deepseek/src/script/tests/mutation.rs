//! Scripts that were valid before something happened to them.

use crate::{Script, chance::Chance};

/// Mutants of each script.
const MUTANTS: u64 = 150;
/// Changes to one script at most.
const CHANGES_MAX: usize = 4;

const SNIPPETS: [&str; 26] = [
    "=",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\n",
    ",",
    ".",
    "#",
    "0",
    "-1",
    "1e400",
    "nan",
    "true",
    "[[rules]]\n",
    "[default]\n",
    "\"never\"",
    "\"9999999999h\"",
    "{ id = \"stall\" }",
    "\u{feff}",
    "\u{2019}",
    "\u{0}",
    "\"\"\"",
    "99999999999999999999",
];

fn below(chance: &mut Chance, bound: usize) -> usize {
    usize::try_from(chance.bits() % bound.max(1) as u64).unwrap()
}

/// A place in the text, at the start of a character.
fn place(text: &str, chance: &mut Chance) -> usize {
    text.floor_char_boundary(below(chance, text.len() + 1))
}

/// Takes a stretch out, doubles it, moves it, or puts a snippet in its place.
fn mutate(text: &mut String, chance: &mut Chance) {
    let from = place(text, chance);
    let to = text.floor_char_boundary((from + below(chance, 24)).min(text.len())).max(from);
    let taken = text[from..to].to_owned();
    match below(chance, 5) {
        0 => text.replace_range(from..to, ""),
        1 => text.insert_str(to, &taken),
        2 => {
            text.replace_range(from..to, "");
            let at = place(text, chance);
            text.insert_str(at, &taken);
        }
        3 => text.replace_range(from..to, SNIPPETS[below(chance, SNIPPETS.len())]),
        _ => text.truncate(from),
    }
}

/// Valid scripts that together use every key.
fn scripts() -> Vec<String> {
    let reference = include_str!("../../../../docs/SCRIPT.md");
    let examples = reference.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    Script::profiles().map(|(_, text)| text).chain(examples).map(ToOwned::to_owned).collect()
}

#[test]
fn whatever_happens_to_a_script_it_is_valid_or_the_error_has_a_place_m10() {
    let (mut valid, mut wrong) = (0, 0);

    for (script, stream) in scripts().into_iter().zip(0..) {
        let mut chance = Chance::new(20_260_914, stream);
        for _ in 0..MUTANTS {
            let mut mutant = script.clone();
            for _ in 0..=below(&mut chance, CHANGES_MAX) {
                mutate(&mut mutant, &mut chance);
            }
            match Script::from_toml(&mutant) {
                Ok(_) => valid += 1,
                Err(error) => {
                    wrong += 1;
                    let lines = mutant.matches('\n').count() + 1;
                    assert!((1..=lines).contains(&error.line()) && error.column() >= 1, "{mutant}\n{error}");
                    assert!(
                        !error.message().is_empty() && error.to_string().contains('^'),
                        "{mutant}\n{error}"
                    );
                }
            }
        }
    }

    assert!(valid > 100 && wrong > 1000, "{valid} valid, {wrong} wrong: the mutants show nothing");
}
