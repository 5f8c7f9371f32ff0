//! How two straight edges meet, decided exactly, and which boxes are worth comparing.

use geo::kernels::{Kernel, RobustKernel};
use geo::{Coord, Line, Orientation, Rect};

/// How two edges meet; the point is one they share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meet {
    Nowhere,
    /// In one point that is an end of at least one of them.
    Touch(Coord<f64>),
    /// In one point inside both.
    Cross(Coord<f64>),
    /// Along a stretch of some length; the point is its lower-left end.
    Along(Coord<f64>),
}

/// How `one` and `other`, both longer than nothing, meet. Only the point of a [`Meet::Cross`] is rounded.
pub fn meet(one: Line<f64>, other: Line<f64>) -> Meet {
    let turns = [
        RobustKernel::orient2d(one.start, one.end, other.start),
        RobustKernel::orient2d(one.start, one.end, other.end),
        RobustKernel::orient2d(other.start, other.end, one.start),
        RobustKernel::orient2d(other.start, other.end, one.end),
    ];
    if turns == [Orientation::Collinear; 4] {
        return meet_on_one_line(one, other);
    }
    let ends = [(other.start, one), (other.end, one), (one.start, other), (one.end, other)];
    for (turn, (end, edge)) in turns.into_iter().zip(ends) {
        if turn == Orientation::Collinear && in_box(end, edge) {
            return Meet::Touch(end);
        }
    }
    let parted = turns.contains(&Orientation::Collinear) || turns[0] == turns[1] || turns[2] == turns[3];
    if parted { Meet::Nowhere } else { Meet::Cross(crossing(one, other)) }
}

fn meet_on_one_line(one: Line<f64>, other: Line<f64>) -> Meet {
    let (one_low, one_high) = in_order(one);
    let (other_low, other_high) = in_order(other);
    let low = if before(one_low, other_low) { other_low } else { one_low };
    let high = if before(one_high, other_high) { one_high } else { other_high };
    if low == high {
        return Meet::Touch(low);
    }
    if before(low, high) { Meet::Along(low) } else { Meet::Nowhere }
}

fn in_order(line: Line<f64>) -> (Coord<f64>, Coord<f64>) {
    if before(line.end, line.start) { (line.end, line.start) } else { (line.start, line.end) }
}

fn before(a: Coord<f64>, b: Coord<f64>) -> bool {
    (a.x, a.y) < (b.x, b.y)
}

fn in_box(point: Coord<f64>, edge: Line<f64>) -> bool {
    let within = |value: f64, a: f64, b: f64| a.min(b) <= value && value <= a.max(b);
    within(point.x, edge.start.x, edge.end.x) && within(point.y, edge.start.y, edge.end.y)
}

fn crossing(one: Line<f64>, other: Line<f64>) -> Coord<f64> {
    let cross = |a: Coord<f64>, b: Coord<f64>| a.x * b.y - a.y * b.x;
    let (step, other_step) = (one.delta(), other.delta());
    let share = cross(other.start - one.start, other_step) / cross(step, other_step);
    one.start + step * share
}

/// All pairs `(i, j)`, `i < j`, of boxes that touch or overlap, in order.
pub fn box_pairs(boxes: &[Rect<f64>]) -> Vec<(usize, usize)> {
    let mut by_west: Vec<usize> = (0..boxes.len()).collect();
    by_west.sort_by(|&a, &b| boxes[a].min().x.total_cmp(&boxes[b].min().x));
    let mut pairs = Vec::new();
    for (place, &one) in by_west.iter().enumerate() {
        let east = boxes[one].max().x;
        let reached = by_west[place + 1..].iter().take_while(|&&other| boxes[other].min().x <= east);
        let level = reached.filter(|&&other| same_height(boxes[one], boxes[other]));
        pairs.extend(level.map(|&other| (one.min(other), one.max(other))));
    }
    pairs.sort_unstable();
    pairs
}

fn same_height(a: Rect<f64>, b: Rect<f64>) -> bool {
    a.min().y <= b.max().y && b.min().y <= a.max().y
}
