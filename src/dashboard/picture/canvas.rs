//! What the picture is drawn with: rectangles, lines, areas, arcs and text, as an SVG in memory.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) type Point = (i32, i32);

/// A rectangle of the picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Area {
    pub(super) fn right(self) -> i32 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> i32 {
        self.y + self.height
    }

    /// The same with so much less on each side: left, top, right, bottom.
    pub(super) fn less(self, left: i32, top: i32, right: i32, bottom: i32) -> Self {
        Self {
            x: self.x + left,
            y: self.y + top,
            width: (self.width - left - right).max(1),
            height: (self.height - top - bottom).max(1),
        }
    }
}

/// Where a text stands to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Center,
    Right,
}

/// The colors: a control room's, readable on light and dark pages since they bring their own ground.
pub(super) const GROUND: RGBColor = RGBColor(13, 17, 23);
pub(super) const PANEL: RGBColor = RGBColor(22, 29, 38);
pub(super) const EDGE: RGBColor = RGBColor(42, 52, 65);
pub(super) const TEXT: RGBColor = RGBColor(222, 229, 237);
pub(super) const DIM: RGBColor = RGBColor(139, 152, 167);

/// `#rrggbb`, made a little lighter where it would sink into the ground.
pub(super) fn color(text: &str) -> Option<RGBColor> {
    let digits = text.strip_prefix('#')?;
    let part = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let lift = |value: u8| value.saturating_add((255 - value) / 5);
    Some(RGBColor(lift(part(0)?), lift(part(2)?), lift(part(4)?)))
}

/// The picture while it is drawn.
pub(super) struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

/// A drawing in memory meets no error.
const IN_MEMORY: &str = "a text takes every drawing";

impl<'a> Canvas<'a> {
    pub(super) fn new(text: &'a mut String, width: u32, height: u32) -> Self {
        let area = SVGBackend::with_string(text, (width, height)).into_drawing_area();
        area.fill(&GROUND).expect(IN_MEMORY);
        Self(area)
    }

    pub(super) fn finish(self) {
        self.0.present().expect(IN_MEMORY);
    }

    pub(super) fn fill(&self, area: Area, style: impl Into<ShapeStyle>) {
        let corners = [(area.x, area.y), (area.right(), area.bottom())];
        self.0
            .draw(&Rectangle::new(corners, style.into().filled()))
            .expect(IN_MEMORY);
    }

    pub(super) fn frame(&self, area: Area, color: RGBColor) {
        let corners = [(area.x, area.y), (area.right(), area.bottom())];
        self.0
            .draw(&Rectangle::new(corners, color.stroke_width(1)))
            .expect(IN_MEMORY);
    }

    pub(super) fn line(&self, points: Vec<Point>, color: RGBColor, width: u32) {
        if points.len() > 1 {
            let style = color.stroke_width(width);
            self.0
                .draw(&PathElement::new(points, style))
                .expect(IN_MEMORY);
        }
    }

    pub(super) fn polygon(&self, points: Vec<Point>, color: RGBColor, opacity: f64) {
        if points.len() > 2 {
            let style = color.mix(opacity).filled();
            self.0.draw(&Polygon::new(points, style)).expect(IN_MEMORY);
        }
    }

    pub(super) fn dot(&self, center: Point, radius: i32, color: RGBColor) {
        self.0
            .draw(&Circle::new(center, radius, color.filled()))
            .expect(IN_MEMORY);
    }

    /// Text in one line; `at` is its middle in height.
    pub(super) fn text(&self, text: &str, at: Point, size: i32, color: RGBColor, align: Align) {
        let horizontal = match align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        let style = TextStyle::from(("sans-serif", size).into_font())
            .color(&color)
            .pos(Pos::new(horizontal, VPos::Center));
        self.0.draw_text(text, &style, at).expect(IN_MEMORY);
    }
}

/// Points on a half circle: `from` and `to` are parts (0 to 1) of it, clockwise from the left.
pub(super) fn arc(center: Point, radius: f64, from: f64, to: f64) -> Vec<Point> {
    const STEPS: i32 = 24;
    (0..=STEPS)
        .map(|step| {
            let part = from + (to - from) * f64::from(step) / f64::from(STEPS);
            let angle = std::f64::consts::PI * (1.0 + part.clamp(0.0, 1.0));
            (
                center.0 + round(radius * angle.cos()),
                center.1 + round(radius * angle.sin()),
            )
        })
        .collect()
}

/// The nearest pixel.
#[expect(
    clippy::cast_possible_truncation,
    reason = "pictures are smaller than 2^31"
)]
pub(super) fn round(number: f64) -> i32 {
    number.clamp(-1e6, 1e6).round() as i32
}
