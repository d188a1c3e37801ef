//! Series in which nothing is wrong, of eight families: what a stated rate of false alarms has to hold for.

use std::f64::consts::TAU;

use devops::series::Series;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The names of the families.
pub const FAMILIES: [&str; 8] =
    ["white", "ar1", "seasons", "heteroscedastic", "heavy-tailed", "counter", "integers", "load steps"];

/// The steps of the series, in milliseconds.
pub const STEP_MS: i64 = 300_000;

/// A number of the standard normal distribution (Box and Muller, 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt() * (TAU * random.random::<f64>()).cos()
}

/// A number of Student's t distribution with three degrees of freedom: its fourth moment is infinite.
fn student(random: &mut ChaCha8Rng) -> f64 {
    let squares: f64 = (0..3).map(|_| normal(random).powi(2)).sum();
    normal(random) / (squares / 3.0).sqrt()
}

/// A count of a Poisson distribution (Knuth, "Seminumerical Algorithms", section 3.4.1).
fn poisson(random: &mut ChaCha8Rng, mean: f64) -> f64 {
    let limit = (-mean).exp();
    let (mut product, mut count) = (random.random::<f64>(), 0.0);
    while product > limit {
        product *= random.random::<f64>();
        count += 1.0;
    }
    count
}

/// One series of a family; equal seeds give equal series.
pub fn series(family: &str, seed: u64, days: usize) -> Series {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let steps = days * 86_400_000 / STEP_MS as usize;
    let mut state = State::new(&mut random);
    let points = (0..steps).map(|at| {
        let hours = (at as i64 * STEP_MS) as f64 / 3_600_000.0;
        (at as i64 * STEP_MS, state.next(family, hours, &mut random))
    });
    Series::new(family, points.collect(), None)
}

struct State {
    level: f64,
    count: f64,
    coefficient: f64,
    amplitude: f64,
    shift: f64,
}

impl State {
    fn new(random: &mut ChaCha8Rng) -> Self {
        Self {
            level: 50.0,
            count: 0.0,
            // From nearly white to remembering a quarter of a day.
            coefficient: 0.3 + 0.68 * random.random::<f64>(),
            amplitude: 1.0 + 9.0 * random.random::<f64>(),
            shift: 24.0 * random.random::<f64>(),
        }
    }

    fn day(&self, hours: f64) -> f64 {
        ((hours + self.shift) / 24.0 * TAU).sin()
    }

    fn weekday(&self, hours: f64) -> f64 {
        if ((hours + self.shift) / 24.0) as i64 % 7 >= 5 { 0.6 } else { 1.0 }
    }

    fn next(&mut self, family: &str, hours: f64, random: &mut ChaCha8Rng) -> f64 {
        match family {
            "white" => 100.0 + normal(random),
            "ar1" => {
                self.level = 50.0 + self.coefficient * (self.level - 50.0) + normal(random);
                self.level
            }
            "seasons" => {
                50.0 + self.amplitude * (1.0 + self.day(hours)) * self.weekday(hours) + normal(random)
            }
            "heteroscedastic" => 50.0 + (1.5 + self.day(hours)) * normal(random),
            "heavy-tailed" => 50.0 + student(random),
            "counter" => {
                // About two restarts a week, and a load that follows the day.
                if random.random::<f64>() < 0.001 {
                    self.count = 0.0;
                }
                self.count += poisson(random, 20.0 * (1.5 + self.day(hours)));
                self.count
            }
            "integers" => poisson(random, 3.0),
            "load steps" => {
                // A new load about three times a day, one of eight.
                if random.random::<f64>() < 0.01 {
                    self.level = 10.0 * (1 + random.random_range(0..8_u32)) as f64;
                }
                self.level + normal(random)
            }
            other => panic!("no family is called {other}"),
        }
    }
}
