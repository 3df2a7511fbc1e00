//! Who plays: the users of a profile that this generator has, and when each of them comes.
//!
//! A load may have several generators, each with a part of the users. People are not shared between them: those who write
//! one fact are in one part, so that each generator can judge what it has seen. Invariant: the parts of a profile hold each
//! of its users once.

use std::{collections::BTreeSet, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profile::{Does, Profile};

/// The most parts of a load.
pub const PARTS_MAX: usize = 1000;

/// Which part of a load a generator plays, such as `0/3`: numbered as orchestrators number what they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// From 0 on.
    pub number: usize,
    /// So many there are.
    pub of: usize,
}

impl Part {
    /// The only one.
    pub const WHOLE: Self = Self { number: 0, of: 1 };
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(number, of)| {
            let (number, of) = (number.trim().parse().ok()?, of.trim().parse().ok()?);
            ((1..=PARTS_MAX).contains(&of) && number < of).then_some(Self { number, of })
        });
        parts.ok_or_else(|| {
            format!(
                "write a number from 0 on and how many parts there are, such as `0/3`; at most {PARTS_MAX}"
            )
        })
    }
}

/// A user of a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Player {
    /// Place among all users of the profile.
    pub(crate) n: usize,
    /// Who that is; several users may be one person.
    pub(crate) person: usize,
    /// The step of the load with which this user comes, from 0 on.
    pub(crate) step: usize,
    /// How much of that step's ramp has passed then.
    pub(crate) share: f64,
}

/// Those who play, by group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cast(Vec<Vec<Player>>);

impl Cast {
    pub(crate) fn of(profile: &Profile, part: Part) -> Self {
        let people = profile.people();
        let mut first = 0;
        let groups = profile.groups.iter().map(|group| {
            let begin = first;
            first += group.users;
            let all = (0..group.users).map(move |place| player(begin + place, place, (profile, group.users)));
            let named = all.map(|player| Player { person: people[player.n], ..player });
            named.filter(|player| player.person % part.of == part.number).collect()
        });
        Self(groups.collect())
    }

    /// Returns the players of a profile's `n`th group.
    pub(crate) fn group(&self, n: usize) -> &[Player] {
        &self.0[n]
    }

    /// Returns how many there are after so many steps.
    pub(crate) fn until(&self, steps: usize) -> usize {
        self.0.iter().flatten().filter(|player| player.step < steps).count()
    }

    pub(crate) fn users(&self) -> usize {
        self.until(usize::MAX)
    }

    /// Returns how many files each of the programs may need at once: of the target a running turn takes two, to its user
    /// and to the model.
    pub(crate) fn files(&self, profile: &Profile) -> usize {
        let groups = profile.groups.iter().zip(&self.0);
        let chatting = groups.filter(|(group, _)| matches!(group.does, Does::Chat(_)));
        let talkers: usize = chatting.map(|(_, players)| players.len()).sum();
        self.users() + talkers
    }

    pub(crate) fn people(&self) -> BTreeSet<usize> {
        self.0.iter().flatten().map(|player| player.person).collect()
    }
}

/// Returns who stands at a place of a group with so many users: steps are of one size, and each has one ramp.
fn player(n: usize, place: usize, (profile, users): (&Profile, usize)) -> Player {
    let along = place * profile.steps;
    #[expect(clippy::cast_precision_loss, reason = "a profile has at most 50,000 users")]
    let share = (along % users) as f64 / users as f64;
    Player { n, person: n, step: along / users, share }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(steps: usize) -> Profile {
        let text = format!(
            "about = \"x\"\nwarm_up = \"0s\"\nduration = \"1s\"\nsteps = {steps}\n\
             [[groups]]\nname = \"a\"\nusers = 8\ndoes = {{ idle = {{}} }}\n\
             [[groups]]\nname = \"b\"\nusers = 9\ndoes = {{ facts = {{ people = 2, writes = 1, how = \"append\" }} }}\n"
        );
        Profile::parse("x", &text).unwrap()
    }

    #[test]
    fn parts_hold_each_user_once_and_tear_no_person_apart_l8() {
        let part = |number| Cast::of(&profile(1), Part { number, of: 3 });

        let parts = [part(0), part(1), part(2)];

        let mut users: Vec<_> =
            parts.iter().flat_map(|cast| cast.0.iter().flatten().map(|it| it.n)).collect();
        users.sort_unstable();
        assert_eq!(users, (0..17).collect::<Vec<_>>());
        let people: usize = parts.iter().map(|cast| cast.people().len()).sum();
        assert_eq!(people, 10, "eight who are silent and two whose facts are written");
    }

    #[test]
    fn each_step_brings_an_equal_share_of_each_group_l5() {
        let cast = Cast::of(&profile(4), Part::WHOLE);

        assert_eq!([1, 2, 3, 4].map(|steps| cast.until(steps)), [5, 9, 13, 17]);
        assert!(cast.group(0).iter().all(|player| (0.0..1.0).contains(&player.share)));
    }

    #[test]
    fn only_who_chats_takes_two_files_of_the_target_l3() {
        let mut profile = profile(1);
        assert_eq!(Cast::of(&profile, Part::WHOLE).files(&profile), 17);

        profile.groups[0].does = toml::from_str("chat = { every = \"1s\" }").unwrap();

        assert_eq!(Cast::of(&profile, Part::WHOLE).files(&profile), 25);
    }

    #[test]
    fn a_part_is_two_numbers_l8() {
        assert_eq!("2/3".parse(), Ok(Part { number: 2, of: 3 }));
        for wrong in ["-1/3", "3/3", "1", "a/b", "0/0", "1/5000"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }
}
