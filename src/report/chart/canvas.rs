//! Shapes in an SVG in memory. Colors are those of a light page; each is a name of its own, so that a
//! dark page's style can put another in its place (`[fill="#2563A8"]`).

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) const BLUE: RGBColor = RGBColor(0x25, 0x63, 0xA8);
pub(super) const ORANGE: RGBColor = RGBColor(0xB4, 0x53, 0x09);
pub(super) const GRID: RGBColor = RGBColor(0xDD, 0xE3, 0xEA);
pub(super) const TEXT: RGBColor = RGBColor(0x4A, 0x55, 0x63);
pub(super) const AXIS: RGBColor = RGBColor(0x8A, 0x94, 0xA0);
pub(super) const ACTION: RGBColor = RGBColor(0x7A, 0x3F, 0xB0);
pub(super) const ON_ACTION: RGBColor = RGBColor(0xFF, 0xFF, 0xFE);
pub(super) const ALARM: RGBColor = RGBColor(0xC6, 0x28, 0x28);
pub(super) const TARGET: RGBColor = RGBColor(0x2E, 0x7D, 0x4F);
pub(super) const MISSING: RGBColor = RGBColor(0x9A, 0xA3, 0xAE);

pub(super) type Point = (i32, i32);

/// Where a text stands to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Center,
    Right,
}

/// A drawing in memory meets no error.
const IN_MEMORY: &str = "a text takes every drawing";

pub(super) struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

impl<'a> Canvas<'a> {
    pub(super) fn new(text: &'a mut String, width: u32, height: u32) -> Self {
        Self(SVGBackend::with_string(text, (width, height)).into_drawing_area())
    }

    pub(super) fn finish(self) {
        self.0.present().expect(IN_MEMORY);
    }

    pub(super) fn rectangle(&self, from: Point, to: Point, color: RGBColor, opacity: f64) {
        let style = color.mix(opacity).filled();
        self.0
            .draw(&Rectangle::new([from, to], style))
            .expect(IN_MEMORY);
    }

    pub(super) fn line(&self, points: Vec<Point>, color: RGBColor, width: u32) {
        if points.len() > 1 {
            self.0
                .draw(&PathElement::new(points, color.stroke_width(width)))
                .expect(IN_MEMORY);
        }
    }

    pub(super) fn area(&self, points: Vec<Point>, color: RGBColor, opacity: f64) {
        if points.len() > 2 {
            self.0
                .draw(&Polygon::new(points, color.mix(opacity).filled()))
                .expect(IN_MEMORY);
        }
    }

    pub(super) fn dot(&self, center: Point, radius: i32, color: RGBColor) {
        self.0
            .draw(&Circle::new(center, radius, color.filled()))
            .expect(IN_MEMORY);
    }

    /// Text in one line; `at` is its middle in height. `size` is in pixels.
    pub(super) fn text(&self, text: &str, at: Point, size: i32, color: RGBColor, align: Align) {
        let horizontal = match align {
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        // Plotters writes a font's size as 1/1.24 of what it is asked for.
        let asked = f64::from(size) * 1.24;
        let style = TextStyle::from(("sans-serif", asked).into_font())
            .color(&color)
            .pos(Pos::new(horizontal, VPos::Center));
        self.0.draw_text(text, &style, at).expect(IN_MEMORY);
    }
}

/// The nearest pixel.
#[expect(
    clippy::cast_possible_truncation,
    reason = "pictures are smaller than 2^31"
)]
pub(super) fn pixel(number: f64) -> i32 {
    number.clamp(-1e6, 1e6).round() as i32
}
