//! Scenes as SVG and PNG. One painter for both: it knows plotters' backend trait only.

use std::sync::OnceLock;

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontStyle, IntoFont, RGBAColor, ShapeStyle, TextStyle, register_font};

use crate::report::chart::palette::Color;
use crate::report::chart::scene::{Anchor, Label, Point, Scene, Shape};
use crate::report::chart::{Chart, ChartError, Drawing};

/// A part of DejaVu Sans: Latin letters and the signs that reports use.
static FONT: &[u8] = include_bytes!("../font/DejaVuSans-subset.ttf");
/// The families that texts are set in. Bitmaps take the first, SVG viewers the first that they have; all of
/// them are about as wide.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";
/// What differs between the formats.
#[derive(Clone, Copy)]
struct Format {
    /// Units of the format in a logical pixel.
    scale: f64,
    /// How far texts are lowered, in shares of their size, so that small letters stand in the middle.
    lower: f64,
}

/// Finer units than pixels, because plotters' coordinates are whole numbers.
const SVG: Format = Format { scale: 8.0, lower: 0.04 };
/// Plotters' bitmap texts stand higher than its SVG texts.
const PNG: Format = Format { scale: 2.0, lower: 0.16 };
/// How much larger texts are measured than drawn, so that whole units suffice.
const MEASURE: f64 = 16.0;

/// Makes the font known to the drawing library, once.
pub(crate) fn load_font() -> Result<(), ChartError> {
    static LOADED: OnceLock<bool> = OnceLock::new();
    let load = || register_font(FAMILY, FontStyle::Normal, FONT).is_ok();
    if *LOADED.get_or_init(load) { Ok(()) } else { Err(ChartError::Font) }
}

/// The width of a text in logical pixels.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    load_font().ok();
    let measured = (FAMILY, size * MEASURE).into_font().box_size(text);
    // Without the font nothing is drawn either; the estimate only keeps layouts free of a second error path.
    measured.map_or(text.chars().count() as f64 * size * 0.6, |(width, _)| f64::from(width) / MEASURE)
}

/// A drawing as a chart.
pub(crate) fn chart(drawing: &Drawing) -> Result<Chart, ChartError> {
    let Drawing { name, title, scene } = drawing;
    Ok(Chart { name, title: title.clone(), svg: svg(scene, title)?, scene: scene.clone() })
}

fn size(scene: &Scene, format: Format) -> (u32, u32) {
    let scale = format.scale;
    ((scene.width * scale) as u32, (scene.height * scale) as u32)
}

/// A scene as an SVG document.
pub(crate) fn svg(scene: &Scene, title: &str) -> Result<String, ChartError> {
    let (width, height) = size(scene, SVG);
    let mut text = String::new();
    paint(scene, &mut SVGBackend::with_string(&mut text, (width, height)), SVG)?;
    let drawn = format!("width=\"{width}\" height=\"{height}\"");
    let shown = format!(
        "role=\"img\" aria-label=\"{}\" width=\"{}\" height=\"{}\"",
        crate::report::html::escape(title),
        scene.width,
        scene.height
    );
    Ok(text.replacen(&drawn, &shown, 1))
}

/// A scene as a PNG.
pub(crate) fn png(scene: &Scene) -> Result<Vec<u8>, ChartError> {
    let (width, height) = size(scene, PNG);
    let mut pixels = vec![0; width as usize * height as usize * 3];
    paint(scene, &mut BitMapBackend::with_buffer(&mut pixels, (width, height)), PNG)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// Paints a scene on any backend.
fn paint<B: DrawingBackend>(scene: &Scene, backend: &mut B, format: Format) -> Result<(), ChartError> {
    let scale = format.scale;
    let place = |point: &Point| (whole(point.x * scale), whole(point.y * scale));
    for shape in &scene.shapes {
        let painted = match shape {
            Shape::Line { from, to, width, color } => {
                let stroke_width = whole(width * scale).max(1).unsigned_abs();
                let style = ShapeStyle { color: tint(*color, 1.0), filled: true, stroke_width };
                backend.draw_line(place(from), place(to), &style)
            }
            Shape::Area { corners, color, opacity } => {
                let corners: Vec<(i32, i32)> = corners.iter().map(place).collect();
                backend.fill_polygon(corners, &tint(*color, *opacity))
            }
            Shape::Disc { center, radius, color, opacity } => {
                let radius = whole(radius * scale).unsigned_abs();
                backend.draw_circle(place(center), radius, &tint(*color, *opacity), true)
            }
            Shape::Text(label) => {
                let lowered = Point { y: label.place.y + label.size * format.lower, ..label.place };
                backend.draw_text(&label.text, &text_style(label, scale), place(&lowered))
            }
        };
        painted.map_err(|error| said(&error))?;
    }
    backend.present().map_err(|error| said(&error))
}

fn said(error: &dyn std::error::Error) -> ChartError {
    ChartError::Drawing { said: error.to_string() }
}

fn whole(value: f64) -> i32 {
    value.round() as i32
}

fn tint(color: Color, opacity: f64) -> RGBAColor {
    RGBAColor(color.0, color.1, color.2, opacity)
}

fn text_style(label: &Label, scale: f64) -> TextStyle<'static> {
    let side = match label.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
    };
    let mut style = TextStyle::from((FAMILY, label.size * scale).into_font());
    style.color = tint(label.color, 1.0).to_backend_color();
    style.pos(Pos::new(side, VPos::Center))
}
