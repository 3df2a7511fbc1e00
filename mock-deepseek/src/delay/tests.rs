//! Pauses: bounds, shapes of the distributions, and how they are written.

use super::*;

const DRAWS: u32 = 10_000;

fn delay(toml: &str) -> Delay {
    #[derive(Deserialize)]
    struct File {
        d: Delay,
    }
    toml::from_str::<File>(&format!("d = {toml}")).unwrap().d
}

/// Draws with their jitter, in order of length, in milliseconds.
fn sorted(toml: &str) -> Vec<f64> {
    let (delay, mut chance) = (delay(toml), Chance::new(11, 0));
    let draw = |_| {
        let pause = delay.draw(&mut chance).unwrap();
        delay.jittered(pause, &mut chance).as_secs_f64() * 1000.0
    };
    let mut draws: Vec<_> = (0..DRAWS).map(draw).collect();
    draws.sort_by(f64::total_cmp);
    draws
}

fn mean(draws: &[f64]) -> f64 {
    draws.iter().sum::<f64>() / f64::from(DRAWS)
}

/// The draw below which so many percent lie.
fn percentile(draws: &[f64], percent: usize) -> f64 {
    draws[draws.len() * percent / 100]
}

fn near(actual: f64, wanted: f64, within: f64) {
    assert!((actual - wanted).abs() <= within, "{actual} is not {wanted} ± {within}");
}

#[test]
fn a_constant_is_exact() {
    assert_eq!(delay("\"15ms\"").draw(&mut Chance::new(0, 0)), Some(Duration::from_millis(15)));
    assert_eq!(delay("{ constant = \"15ms\" }"), delay("\"15ms\""));
}

#[test]
fn never_never_comes() {
    assert_eq!(delay("\"never\"").draw(&mut Chance::new(0, 0)), None);
}

#[test]
fn uniform_draws_fill_the_range_evenly_m8() {
    let draws = sorted("{ uniform = { from = \"100ms\", to = \"300ms\" } }");

    near(draws[0], 100.0, 0.5);
    near(draws[draws.len() - 1], 300.0, 0.5);
    near(mean(&draws), 200.0, 2.5);
    near(percentile(&draws, 25), 150.0, 4.0);
}

#[test]
fn normal_draws_are_a_bell_that_stops_at_zero_m8() {
    let draws = sorted("{ normal = { mean = \"500ms\", deviation = \"50ms\" } }");
    near(mean(&draws), 500.0, 2.0);
    near(percentile(&draws, 84), 549.7, 4.0);

    let wide = sorted("{ normal = { mean = \"10ms\", deviation = \"100ms\" } }");
    near(wide[0], 0.0, 0.0);
}

#[test]
fn lognormal_draws_have_their_median_and_a_long_end_m8() {
    let draws = sorted("{ lognormal = { median = \"850ms\", sigma = 0.5 } }");

    near(percentile(&draws, 50), 850.0, 20.0);
    // Of a standard normal, 95 % lie below 1.645.
    near(percentile(&draws, 95), 850.0 * (0.5_f64 * 1.645).exp(), 70.0);
}

#[test]
fn exponential_draws_have_their_mean_and_its_median_m8() {
    let draws = sorted("{ exponential = { mean = \"100ms\" } }");

    near(mean(&draws), 100.0, 4.0);
    near(percentile(&draws, 50), 69.3, 4.0);
}

#[test]
fn a_tail_has_its_share_and_nothing_lies_between_the_humps_m8() {
    let draws = sorted(
        "{ constant = \"2s\", tail = { share = 0.05, takes = { uniform = { from = \"7s\", to = \"25s\" } } } }",
    );

    let slow = draws.iter().filter(|&&draw| draw >= 7000.0).count();
    // Four standard deviations of 10 000 throws.
    assert!((413..=587).contains(&slow), "{slow}");
    assert_eq!(draws.iter().filter(|&&draw| draw > 2000.0 && draw < 7000.0).count(), 0);
}

#[test]
fn jitter_goes_both_ways_and_no_further_m8() {
    let draws = sorted("{ constant = \"15ms\", jitter = \"5ms\" }");

    near(draws[0], 10.0, 0.1);
    near(draws[draws.len() - 1], 20.0, 0.1);
    near(mean(&draws), 15.0, 0.15);
}

#[test]
fn no_draw_is_longer_than_the_bound() {
    let draws = sorted("{ lognormal = { median = \"10h\", sigma = 10 } }");

    near(draws[draws.len() - 1], PAUSE_MAX.as_secs_f64() * 1000.0, 0.0);
}
