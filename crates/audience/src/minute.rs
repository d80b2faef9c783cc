//! The requests of a minute: seat by seat, then the strangers'.

use crate::Scene;
use crate::incident::Trouble;
use crate::play::Player;
use crate::random::Draw;
use crate::request::Request;
use crate::seat::Hall;
use crate::strangers;

/// The requests of a minute to a distribution.
#[derive(Debug)]
pub struct Minute<'a> {
    hall: Hall<'a>,
    trouble: Trouble,
    number: i64,
    distribution: Option<(&'a str, &'a str)>,
    /// The next seat, and how many are taken.
    seat: u64,
    seats: u64,
    /// How many were in the minute before.
    before: u64,
    are_strangers_due: bool,
    /// Those of one seat, and the next of them.
    requests: Vec<Request<'a>>,
    next: usize,
}

impl<'a> Minute<'a> {
    pub(crate) fn new(scene: &'a Scene, minute: i64, distribution: &str) -> Self {
        Self {
            hall: Hall::new(scene, distribution),
            trouble: Trouble::of(scene, minute),
            number: minute,
            distribution: scene
                .distributions
                .iter()
                .find(|(id, _, _)| id == distribution)
                .map(|(id, domain, _)| (id.as_str(), domain.as_str())),
            seat: 0,
            seats: scene.seats(minute),
            before: scene.seats(minute - 1),
            are_strangers_due: true,
            requests: Vec::with_capacity(96),
            next: 0,
        }
    }

    /// Makes the requests of the next who has any; says whether there was one.
    fn fill(&mut self) -> bool {
        self.requests.clear();
        self.next = 0;
        let Some((distribution, host)) = self.distribution else {
            return false;
        };
        while self.requests.is_empty() {
            if self.seat < self.seats {
                let seat = self.seat;
                self.seat += 1;
                if let Some(sitter) = self.hall.sitter(seat, self.number, self.before) {
                    let mut player = Player {
                        scene: self.hall.scene,
                        trouble: &self.trouble,
                        minute: self.number,
                        distribution,
                        host,
                        sitter: &sitter,
                        draw: Draw::of(&[self.hall.scene.seed, seat, self.number.cast_unsigned()]),
                        requests: &mut self.requests,
                    };
                    player.play();
                }
            } else if std::mem::take(&mut self.are_strangers_due) {
                strangers::come(
                    self.hall.scene,
                    self.number,
                    self.seats,
                    (distribution, host),
                    &mut self.requests,
                );
            } else {
                return false;
            }
        }
        true
    }
}

impl<'a> Iterator for Minute<'a> {
    type Item = Request<'a>;

    fn next(&mut self) -> Option<Request<'a>> {
        if self.next == self.requests.len() && !self.fill() {
            return None;
        }
        let request = self.requests.get(self.next).copied();
        self.next += 1;
        request
    }
}
