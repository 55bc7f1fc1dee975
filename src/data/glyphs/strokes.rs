//! The digits as strokes, in a unit square: x from left to right, y from the top down.

/// A point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
}

/// A stroke of the pen through these points.
pub(super) struct Stroke {
    pub points: Vec<Point>,
    /// True where it bends through its points; else it goes straight from one to the next.
    bends: bool,
}

/// Pieces that a bend between two points is drawn with.
const PIECES: usize = 6;

impl Stroke {
    /// Returns the corners of the line that is drawn through `points`, which stand for those of the stroke. A
    /// bend is a Catmull-Rom spline (E. Catmull and R. Rom, *A class of local interpolating splines*, 1974).
    pub(super) fn path(&self, points: &[Point]) -> Vec<Point> {
        if !self.bends {
            return points.to_vec();
        }
        let at = |place: isize| points[place.clamp(0, points.len() as isize - 1) as usize];
        let mut path = vec![points[0]];
        for start in 0..points.len() as isize - 1 {
            let around = [at(start - 1), at(start), at(start + 1), at(start + 2)];
            path.extend((1..=PIECES).map(|piece| catmull_rom(around, piece as f64 / PIECES as f64)));
        }
        path
    }
}

/// The point at `t`, from 0 to 1, of the spline from the second to the third of four points.
fn catmull_rom([a, b, c, d]: [Point; 4], t: f64) -> Point {
    let along = |a: f64, b: f64, c: f64, d: f64| {
        let (first, second, third) = (c - a, 2.0 * a - 5.0 * b + 4.0 * c - d, 3.0 * (b - c) + d - a);
        b + 0.5 * t * (first + t * (second + t * third))
    };
    Point { x: along(a.x, b.x, c.x, d.x), y: along(a.y, b.y, c.y, d.y) }
}

fn stroke(bends: bool, points: &[(f64, f64)]) -> Stroke {
    Stroke { points: points.iter().map(|&(x, y)| Point { x, y }).collect(), bends }
}

fn bend(points: &[(f64, f64)]) -> Stroke {
    stroke(true, points)
}

fn straight(points: &[(f64, f64)]) -> Stroke {
    stroke(false, points)
}

/// The strokes of a digit.
///
/// # Panics
/// If it is none.
#[rustfmt::skip]
pub(super) fn digit(digit: usize) -> Vec<Stroke> {
    match digit {
        0 => vec![bend(&[(0.5, 0.04), (0.26, 0.14), (0.16, 0.5), (0.26, 0.86), (0.5, 0.96), (0.74, 0.86), (0.84, 0.5), (0.74, 0.14), (0.5, 0.04)])],
        1 => vec![straight(&[(0.3, 0.26), (0.55, 0.05), (0.53, 0.95)])],
        2 => vec![
            bend(&[(0.2, 0.28), (0.3, 0.1), (0.52, 0.04), (0.76, 0.14), (0.78, 0.36), (0.55, 0.65), (0.18, 0.94)]),
            straight(&[(0.18, 0.94), (0.86, 0.93)]),
        ],
        3 => vec![bend(&[(0.2, 0.14), (0.46, 0.04), (0.74, 0.14), (0.7, 0.36), (0.44, 0.47), (0.74, 0.58), (0.8, 0.82), (0.5, 0.97), (0.18, 0.86)])],
        4 => vec![straight(&[(0.6, 0.05), (0.15, 0.64), (0.88, 0.64)]), straight(&[(0.66, 0.36), (0.64, 0.96)])],
        5 => vec![straight(&[(0.8, 0.05), (0.3, 0.06), (0.25, 0.44)]), bend(&[(0.25, 0.44), (0.52, 0.37), (0.8, 0.54), (0.78, 0.82), (0.5, 0.97), (0.18, 0.87)])],
        6 => vec![bend(&[(0.7, 0.05), (0.42, 0.22), (0.22, 0.6), (0.3, 0.9), (0.58, 0.96), (0.79, 0.78), (0.68, 0.54), (0.42, 0.52), (0.24, 0.7)])],
        7 => vec![straight(&[(0.15, 0.07), (0.84, 0.06), (0.42, 0.95)])],
        8 => vec![bend(&[(0.74, 0.14), (0.5, 0.04), (0.26, 0.16), (0.3, 0.38), (0.7, 0.6), (0.76, 0.84), (0.5, 0.96), (0.24, 0.84), (0.3, 0.6), (0.68, 0.38), (0.74, 0.14)])],
        9 => vec![bend(&[(0.77, 0.28), (0.58, 0.48), (0.3, 0.42), (0.24, 0.18), (0.5, 0.04), (0.74, 0.14), (0.77, 0.42), (0.7, 0.7), (0.56, 0.96)])],
        _ => panic!("{digit} is no digit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bend_goes_through_its_points_and_a_straight_stroke_has_no_others() {
        for number in 0..10 {
            for stroke in digit(number) {
                let path = stroke.path(&stroke.points);
                let through = |point: &Point| {
                    path.iter().any(|other| (other.x - point.x).abs() + (other.y - point.y).abs() < 1e-12)
                };
                assert!(stroke.points.iter().all(through), "{number}");
                let pieces = if stroke.bends { PIECES } else { 1 };
                assert_eq!(path.len(), (stroke.points.len() - 1) * pieces + 1);
            }
        }
    }
}
