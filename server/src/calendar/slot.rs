//! Where a proposal is put: outside of quiet hours, and where nothing else is.
//!
//! Only proposals are moved, and only to later. What the user has confirmed, and a time that the user has named,
//! stays where it is.
//!
//! Invariant: pure; what comes out is not before what went in.

use std::time::Duration;

use jiff::{Timestamp, Zoned};

use crate::storage::{QuietHours, Zone};

/// Most steps to a free place: one for each entry that can be in the way, and for each night between.
const STEPS_MAX: usize = 4096;

/// What a proposal must keep away from.
#[derive(Clone, Debug)]
pub struct Room<'a> {
    /// In whose hours quiet is.
    pub zone: &'a Zone,
    /// When nothing may be proposed.
    pub quiet: Option<QuietHours>,
    /// Times of other entries, in any order.
    pub busy: &'a [Timestamp],
    /// How far from another entry a proposal must be.
    pub slot: Duration,
}

impl Room<'_> {
    /// Returns the first time from `wanted` on that is not quiet and at least a slot away from all that is busy;
    /// `wanted` itself where none is found in a bounded search.
    pub fn first_free(&self, wanted: Timestamp) -> Timestamp {
        let mut at = wanted;
        for _ in 0..STEPS_MAX {
            match self.after_conflict(at) {
                None => return at,
                Some(later) => at = later,
            }
        }
        wanted
    }

    /// Returns where to look next; `None` where the time is free.
    fn after_conflict(&self, at: Timestamp) -> Option<Timestamp> {
        self.after_quiet(at).or_else(|| {
            let slot = i128::try_from(self.slot.as_nanos()).unwrap_or(i128::MAX);
            let is_near = |other: &Timestamp| other.duration_since(at).as_nanos().abs() < slot;
            let last = self.busy.iter().copied().filter(is_near).max()?;
            last.checked_add(self.slot).ok()
        })
    }

    /// Returns the end of the quiet hours in which a time lies.
    fn after_quiet(&self, at: Timestamp) -> Option<Timestamp> {
        let quiet = self.quiet?;
        let local = self.zone.at(at);
        if !quiet.hold(local.time()) {
            return None;
        }
        let end =
            |date: jiff::civil::Date| date.to_datetime(quiet.to.time()).to_zoned(local.time_zone().clone());
        let is_later = |end: &Zoned| end.timestamp() > at;
        end(local.date())
            .ok()
            .filter(is_later)
            .or_else(|| end(local.date().tomorrow().ok()?).ok())
            .map(|end| end.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::storage::Choices;

    const SLOT: Duration = Duration::from_mins(30);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    #[test]
    fn a_proposal_at_night_waits_for_the_morning_also_where_the_clocks_change_f80() {
        let (madrid, quiet) = (zone("Europe/Madrid"), Choices::default().quiet);
        let room = Room { zone: &madrid, quiet, busy: &[], slot: SLOT };
        let moved = |text: &str| room.first_free(text.parse().unwrap()).to_string();

        assert_eq!(moved("2026-03-10T20:59:00Z"), "2026-03-10T20:59:00Z");
        assert_eq!(moved("2026-03-10T21:00:00Z"), "2026-03-11T07:00:00Z");
        assert_eq!(moved("2026-03-11T06:59:59Z"), "2026-03-11T07:00:00Z");
        // The clocks go forward that night, and back in October.
        assert_eq!(moved("2026-03-28T23:00:00Z"), "2026-03-29T06:00:00Z");
        assert_eq!(moved("2026-10-24T22:00:00Z"), "2026-10-25T07:00:00Z");
    }

    proptest! {
        #[test]
        fn proposals_one_after_the_other_overlap_nothing_and_move_only_to_later_f84(
            wanted in prop::collection::vec(0_i64..20_000, 1..12),
            busy in prop::collection::vec(0_i64..20_000, 0..40),
            name in prop::sample::select(&["UTC", "Europe/Madrid", "America/New_York", "Asia/Kolkata"]),
            is_quiet in any::<bool>(),
        ) {
            let (mut busy, zone): (Vec<_>, _) = (busy.into_iter().map(at).collect(), zone(name));
            let quiet = Choices::default().quiet.filter(|_| is_quiet);
            let apart = |a: Timestamp, b: Timestamp| b.duration_since(a).abs() >= SignedDuration::try_from(SLOT).unwrap();
            for from in wanted.into_iter().map(at) {
                let to = Room { zone: &zone, quiet, busy: &busy, slot: SLOT }.first_free(from);

                prop_assert!(to >= from);
                prop_assert!(busy.iter().all(|other| apart(*other, to)), "{to} is beside something");
                prop_assert!(quiet.is_none_or(|quiet| !quiet.hold(zone.at(to).time())), "{to} is quiet");
                busy.push(to);
            }
        }

        #[test]
        fn what_is_free_stays_where_it_is_f84(minutes in 0_i64..20_000, busy in prop::collection::vec(0_i64..20_000, 0..40)) {
            let (zone, busy): (_, Vec<_>) = (Zone::UTC, busy.into_iter().map(at).collect());
            let room = Room { zone: &zone, quiet: None, busy: &busy, slot: SLOT };

            let free = room.first_free(at(minutes));

            prop_assert_eq!(room.first_free(free), free);
            prop_assert!(free == at(minutes) || !busy.is_empty());
        }
    }
}
