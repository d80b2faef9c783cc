//! Event against event: what changed, whether it is more than noise, and whether it is allowed.
//! Pure: two summaries and the limits in, a comparison out.
//!
//! A figure of a whole event is one number, so the question is what it would have been by chance. Each
//! event is cut into stretches of ten minutes between kickoff and end. How far the stretches lie from
//! their median (the median of that, so that one incident does not widen it) says how far apart two
//! means of so many stretches are by chance; twice that is noise. An incident is no noise: it moves
//! the figure and not the band. A share or a rate of few counts is no surer than those: what they
//! give by chance, 99 times of a hundred, is noise, too.

mod judge;
mod limits;
mod words;

pub(crate) use judge::{Comparison, Verdict, compare};
pub(crate) use limits::Limits;
pub(crate) use words::{markdown, sheet, text};
