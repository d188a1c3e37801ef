//! Colours. Neutral ones are named, so that a page can give them others in the dark; all pairs that carry
//! meaning differ for colour-blind eyes and in grey, and never carry it alone: signs and shapes repeat it.

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Color(pub u8, pub u8, pub u8);

/// Text and strong lines.
pub(crate) const INK: Color = Color(0x1F, 0x29, 0x33);
/// Text of less weight.
pub(crate) const MUTED: Color = Color(0x5B, 0x67, 0x70);
/// Grid lines.
pub(crate) const GRID: Color = Color(0xD5, 0xDA, 0xE0);
/// The ground.
pub(crate) const PAPER: Color = Color(0xFE, 0xFE, 0xFE);
/// Every second group's ground.
pub(crate) const STRIPE: Color = Color(0xF3, 0xF5, 0xF7);
/// The band of changes that count as none.
pub(crate) const QUIET: Color = Color(0xDD, 0xE3, 0xE9);
/// The claimed band.
pub(crate) const CLAIM: Color = Color(0xFB, 0xE7, 0xA8);
/// The claimed band's border.
pub(crate) const CLAIM_EDGE: Color = Color(0x9A, 0x7B, 0x12);
/// Faster.
pub(crate) const BETTER: Color = Color(0x1B, 0x5F, 0xAA);
/// Slower.
pub(crate) const WORSE: Color = Color(0xC9, 0x5A, 0x06);
/// No change, controls, bars.
pub(crate) const SAME: Color = Color(0x74, 0x80, 0x8A);
/// Text on a light cell, whatever the page's ground is.
pub(crate) const ON_LIGHT: Color = Color(0x11, 0x11, 0x11);
/// Text on a dark cell.
pub(crate) const ON_DARK: Color = Color(0xFF, 0xFF, 0xFF);

/// From no change to the strongest gain. Ends darker than the ramp of losses, so that grey tells them apart.
const GAINS: [Color; 4] =
    [Color(0xF5, 0xF5, 0xF2), Color(0x9C, 0xC3, 0xE4), Color(0x35, 0x78, 0xB9), Color(0x0E, 0x3A, 0x70)];
/// From no change to the strongest loss.
const LOSSES: [Color; 4] =
    [Color(0xF5, 0xF5, 0xF2), Color(0xFC, 0xDD, 0xB0), Color(0xF6, 0xB0, 0x62), Color(0xDB, 0x7E, 0x1C)];

/// The colour of a change: −1 is the strongest gain, 0 none, 1 the strongest loss.
pub(crate) fn diverging(strength: f64) -> Color {
    let ramp = if strength < 0.0 { &GAINS } else { &LOSSES };
    let place = strength.abs().min(1.0) * (ramp.len() - 1) as f64;
    let lower = (place.floor() as usize).min(ramp.len() - 2);
    mix(ramp[lower], ramp[lower + 1], place - lower as f64)
}

fn mix(from: Color, to: Color, share: f64) -> Color {
    let part = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
    Color(part(from.0, to.0), part(from.1, to.1), part(from.2, to.2))
}

/// The lightness of a colour from 0 to 1, as the eye weighs its parts (Rec. 709 weights on gamma-coded values).
pub(crate) fn lightness(color: Color) -> f64 {
    (0.2126 * f64::from(color.0) + 0.7152 * f64::from(color.1) + 0.0722 * f64::from(color.2)) / 255.0
}

/// The text colour that reads best on a ground.
pub(crate) fn text_on(ground: Color) -> Color {
    if lightness(ground) > 0.5 { ON_LIGHT } else { ON_DARK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ramps_darken_all_the_way() {
        for sign in [-1.0, 1.0] {
            let shades: Vec<f64> =
                (0..=20).map(|step| lightness(diverging(sign * f64::from(step) / 20.0))).collect();
            assert!(shades.windows(2).all(|pair| pair[1] < pair[0]), "{shades:?}");
        }
    }

    #[test]
    fn the_ends_differ_in_grey() {
        assert!(lightness(diverging(1.0)) - lightness(diverging(-1.0)) > 0.25);
        assert_eq!(diverging(0.0), diverging(-0.0));
        assert_eq!(diverging(-3.0), diverging(-1.0));
    }

    #[test]
    fn text_stands_out_from_its_ground() {
        for step in -20..=20 {
            let ground = diverging(f64::from(step) / 20.0);
            let distance = (lightness(text_on(ground)) - lightness(ground)).abs();
            assert!(distance > 0.4, "{step}: {distance}");
        }
    }
}
