//! Chance from the seed: small generators, one per draw.
//!
//! Invariant: what a generator gives depends on its seed and its stream only, so that the answer to
//! request 7 is the same whatever happened before it. The steps are those of `SplitMix64`, which needs
//! no set-up: a rule that throws dice costs nanoseconds.

/// The increment of `SplitMix64`, also used to spread seeds and streams.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// A double holds so many bits between 0 and 1.
const UNIT_BITS: u32 = 53;

/// A generator.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Makes the generator of one stream of a seed; streams of one seed have nothing in common.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(mixed(seed ^ mixed(stream.wrapping_add(1).wrapping_mul(GOLDEN))))
    }

    /// Draws 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// Draws a number from 0 (included) to 1 (excluded).
    #[expect(clippy::cast_precision_loss, reason = "so many bits fit a double exactly")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> (u64::BITS - UNIT_BITS)) as f64 / (1_u64 << UNIT_BITS) as f64
    }

    /// Draws from the standard normal distribution, by the transform of Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        // From 0 (excluded), because its logarithm is taken.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 10_000;

    fn mean(mut draw: impl FnMut() -> f64) -> f64 {
        (0..DRAWS).map(|_| draw()).sum::<f64>() / f64::from(DRAWS)
    }

    #[test]
    fn the_same_seed_and_stream_draw_the_same_and_others_do_not() {
        let first = |seed, stream| Chance::new(seed, stream).bits();

        assert_eq!(first(1, 2), first(1, 2));
        let others = [first(1, 2), first(2, 1), first(1, 3), first(0, 2), first(0, 0)];
        assert_eq!(others.iter().collect::<std::collections::BTreeSet<_>>().len(), others.len());
    }

    #[test]
    fn first_draws_of_neighbouring_streams_are_spread_evenly() {
        let mut tenths = [0_u32; 10];

        for stream in 0..u64::from(DRAWS) {
            let unit = Chance::new(7, stream).unit();
            let tenth = (1..10_u8).take_while(|tenth| unit * 10.0 >= f64::from(*tenth)).count();
            tenths[tenth] += 1;
        }

        assert!(tenths.iter().all(|count| (880..=1120).contains(count)), "{tenths:?}");
    }

    #[test]
    fn normal_draws_have_mean_zero_and_deviation_one() {
        let mut chance = Chance::new(1, 1);

        let centre = mean(|| chance.normal());
        let variance = mean(|| chance.normal().powi(2));

        assert!(centre.abs() < 0.05 && (variance - 1.0).abs() < 0.06, "{centre} {variance}");
    }
}
