//! Exact where it can be, and elsewhere against a reference in f64 that shares no code: it turns the picture
//! by composing its steps one after the other, and walks back into the picture pixel by pixel.

use super::*;
use crate::data::sample::scale;
use approx::assert_abs_diff_eq;

fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut stream = Stream::new(seed, Purpose::Test, 0, 0);
    (0..len).map(|_| stream.below(256) as u8).collect()
}

/// Returns a square of RGB.
fn picture(side: usize, seed: u64) -> Vec<u8> {
    noise(side * side * 3, seed)
}

fn applied_to(change: Change, picture: &[u8], size: [usize; 3]) -> Vec<f32> {
    let mut output = vec![f32::NAN; picture.len()];
    change.apply(picture, size, &mut output);
    output
}

fn applied(change: Change, picture: &[u8], side: usize) -> Vec<f32> {
    applied_to(change, picture, [side, side, 3])
}

/// Returns the value of a channel anywhere in the plane: an infinite picture of mirror images, bilinear
/// between pixels.
fn reference_value(picture: &[u8], size: [usize; 3], row: f64, column: f64, channel: usize) -> f64 {
    let [height, width, channels] = size;
    let pixel = |mut row: i64, mut column: i64| {
        for (index, side) in [(&mut row, height), (&mut column, width)] {
            let last = side as i64 - 1;
            while *index < 0 || *index > last {
                *index = if *index < 0 { -1 - *index } else { 2 * last + 1 - *index };
            }
        }
        f64::from(picture[(row as usize * width + column as usize) * channels + channel]) / 255.0
    };
    let mut sum = 0.0;
    for near_row in [row.floor(), row.floor() + 1.0] {
        for near_column in [column.floor(), column.floor() + 1.0] {
            let weight = (1.0 - (row - near_row).abs()) * (1.0 - (column - near_column).abs());
            sum += weight * pixel(near_row as i64, near_column as i64);
        }
    }
    sum
}

/// Returns the changed picture: what is at a pixel now was, before the zoom, before the shift, before the
/// turn, before the flips, where?
fn reference(change: Change, picture: &[u8], size: [usize; 3]) -> Vec<f64> {
    let [height, width, channels] = size;
    let turn = change.degrees * std::f64::consts::PI / 180.0;
    let (middle_row, middle_column) = ((height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0);
    let mut output = Vec::new();
    for y in 0..height {
        for x in 0..width {
            // As complex numbers with the imaginary axis upwards, from the middle.
            let (re, im) = (change.zoom[1] * (x as f64 - middle_column), change.zoom[0] * (middle_row - y as f64));
            let (re, im) = (re - change.shift[1] * width as f64, im + change.shift[0] * height as f64);
            // To undo a counter-clockwise turn is to turn by −θ.
            let (re, im) = (re * turn.cos() + im * turn.sin(), im * turn.cos() - re * turn.sin());
            let (mut row, mut column) = (middle_row - im, middle_column + re);
            if change.flip_vertical {
                row = height as f64 - 1.0 - row;
            }
            if change.flip_horizontal {
                column = width as f64 - 1.0 - column;
            }
            let bright = |channel| change.brightness * reference_value(picture, size, row, column, channel);
            output.extend((0..channels).map(|channel| bright(channel).min(1.0)));
        }
    }
    output
}

#[test]
fn without_a_change_the_bytes_are_scaled_to_the_bit() {
    let picture = picture(13, 1);
    let expected: Vec<f32> = picture.iter().map(|&byte| scale(byte)).collect();
    assert_eq!(applied(Change::default(), &picture, 13), expected);
    assert_eq!(Augmentation::default().draw(3, 4, 5), Change::default());
}

#[test]
fn flips_move_every_pixel_and_change_none() {
    let side = 7;
    let picture = picture(side, 2);
    for (flip_horizontal, flip_vertical) in [(true, false), (false, true), (true, true)] {
        let flipped = applied(Change { flip_horizontal, flip_vertical, ..Change::default() }, &picture, side);
        for (index, &value) in flipped.iter().enumerate() {
            let (y, x, channel) = (index / 3 / side, index / 3 % side, index % 3);
            let row = if flip_vertical { side - 1 - y } else { y };
            let column = if flip_horizontal { side - 1 - x } else { x };
            assert_eq!(value, scale(picture[(row * side + column) * 3 + channel]), "pixel ({y}, {x})");
        }
    }
}

#[test]
fn a_shift_by_whole_pixels_moves_them_and_reflects_at_the_edge() {
    let side = 8;
    let picture = picture(side, 3);
    let shifted = applied(Change { shift: [0.25, -0.125], ..Change::default() }, &picture, side);
    let at = |values: &[f32], y: usize, x: usize| values[(y * side + x) * 3];
    let original: Vec<f32> = picture.iter().map(|&byte| scale(byte)).collect();
    // Two rows down, one column to the left.
    assert_eq!(at(&shifted, 5, 3), at(&original, 3, 4));
    // Above the picture its first row and then its second follow; on the right its last column.
    assert_eq!((at(&shifted, 1, 0), at(&shifted, 0, 0)), (at(&original, 0, 1), at(&original, 1, 1)));
    assert_eq!(at(&shifted, 4, 7), at(&original, 2, 7));
}

#[test]
fn shifts_turns_and_zooms_agree_with_the_reference_in_colour_and_grey_and_of_any_aspect() {
    for (size, seed) in [([1, 1, 3], 0), ([2, 2, 3], 1), ([5, 9, 3], 2), ([16, 11, 1], 3), ([31, 31, 3], 4)] {
        let picture = noise(size.iter().product(), seed);
        for (degrees, shift) in
            [(10.0, [0.0, 0.0]), (-7.3, [0.031, -0.1]), (0.0, [0.1, 0.047]), (90.0, [0.0, 0.0]), (200.0, [1.7, -2.2])]
        {
            for (flip_horizontal, flip_vertical) in [(false, false), (true, false), (false, true)] {
                for (zoom, brightness) in [([1.0; 2], 1.0), ([0.9, 1.07], 1.0), ([1.5, 0.5], 1.2), ([1.0; 2], 0.8)] {
                    let change = Change { flip_horizontal, flip_vertical, shift, degrees, zoom, brightness };
                    let expected = reference(change, &picture, size);
                    for (found, expected) in applied_to(change, &picture, size).into_iter().zip(expected) {
                        assert_abs_diff_eq!(f64::from(found), expected, epsilon = 2e-6);
                    }
                }
            }
        }
    }
}

#[test]
fn a_zoom_below_1_comes_nearer_and_brightness_multiplies_and_clips_at_white() {
    // 4×1: of the middle half every pixel is seen twice, between its neighbours.
    let nearer = applied_to(Change { zoom: [1.0, 0.5], ..Change::default() }, &[0u8, 100, 200, 0], [1, 4, 1]);
    let expected = [75.0, 125.0, 175.0, 150.0].map(|value: f32| value / 255.0);
    nearer.iter().zip(expected).for_each(|(&found, wanted)| assert_abs_diff_eq!(found, wanted, epsilon = 1e-6));
    let brighter = applied_to(Change { brightness: 1.5, ..Change::default() }, &[0u8, 100, 170, 200], [1, 4, 1]);
    assert_eq!(brighter, [0.0, scale(100) * 1.5, (scale(170) * 1.5).min(1.0), 1.0]);
}

#[test]
fn a_picture_of_sixteen_bits_is_changed_as_its_bytes_are() {
    // 257 times a byte is the same share of white.
    let size = [5, 9, 3];
    let bytes = noise(135, 6);
    let deep: Vec<u16> = bytes.iter().map(|&byte| 257 * u16::from(byte)).collect();
    let turned = Change { degrees: 9.0, shift: [0.1, -0.05], brightness: 1.1, ..Change::default() };
    for change in [Change::default(), Change { flip_vertical: true, ..Change::default() }, turned] {
        let mut found = vec![f32::NAN; 135];
        change.apply_to(&PictureSamples::Bits16(deep.clone().into()), size, &mut found);
        for (found, expected) in found.into_iter().zip(applied_to(change, &bytes, size)) {
            assert_abs_diff_eq!(found, expected, epsilon = 1e-6);
        }
    }
    let mut levels = [f32::NAN; 3];
    Change::default().apply(&[0u16, 1, 65535], [1, 3, 1], &mut levels);
    assert_eq!(levels, [0.0, 1.0 / 65535.0, 1.0]);
}

#[test]
fn a_quarter_turn_goes_counter_clockwise() {
    // 2×2: the bright pixel at the top right goes to the top left.
    let mut picture = vec![0; 12];
    picture[3..6].fill(255);
    let turned = applied(Change { degrees: 90.0, ..Change::default() }, &picture, 2);
    assert_abs_diff_eq!(turned[0], 1.0, epsilon = 1e-6);
    assert_abs_diff_eq!(turned[3..].iter().sum::<f32>(), 0.0, epsilon = 1e-5);
}

#[test]
fn changes_are_keyed_by_seed_epoch_and_image_and_stay_within_their_limits() {
    let all = Augmentation::parse("flip,shift,rotate,zoom,brightness").unwrap();
    let base = all.draw(1, 2, 3);
    assert_eq!(base, all.draw(1, 2, 3));
    for other in [all.draw(9, 2, 3), all.draw(1, 9, 3), all.draw(1, 2, 9)] {
        assert_ne!(base, other);
    }
    let drawn: Vec<Change> = (0..1000).map(|index| all.draw(0, 0, index)).collect();
    assert!(drawn.iter().all(|change| change.shift.iter().all(|shift| shift.abs() <= MAX_SHIFT)));
    assert!(drawn.iter().all(|change| change.degrees.abs() <= MAX_ROTATION_DEGREES));
    let most = drawn.iter().fold(0.0f64, |most, change| most.max(change.degrees.abs()));
    assert!(most > 0.98 * MAX_ROTATION_DEGREES, "{most}");
    assert!(drawn.iter().all(|change| change.zoom.iter().all(|zoom| (zoom - 1.0).abs() <= MAX_ZOOM)));
    assert!(drawn.iter().all(|change| (change.brightness - 1.0).abs() <= MAX_BRIGHTNESS));
    let [low, high] =
        [f64::min, f64::max].map(|pick| drawn.iter().map(|change| change.brightness).reduce(pick).unwrap());
    assert!(low < 0.81 && high > 1.19, "{low} {high}");
    assert!(drawn.iter().any(|change| change.zoom[0] != change.zoom[1]));
    for flips in [|change: &Change| change.flip_horizontal, |change: &Change| change.flip_vertical] {
        let share = drawn.iter().filter(|change| flips(change)).count();
        assert!((440..560).contains(&share), "{share} of 1000 are flipped");
    }
    // A change that is not asked for is not made, and the others are as they were.
    let turned = Augmentation::parse("rotate").unwrap().draw(1, 2, 3);
    assert_eq!(turned, Change { degrees: base.degrees, ..Change::default() });
}

#[test]
fn a_list_of_changes_is_read_and_a_wrong_name_told() {
    let names = |list: &str| Augmentation::parse(list).map(|augmentation| augmentation.names().join(" "));
    assert_eq!(names("flip,shift,rotate").unwrap(), "flip-horizontal flip-vertical shift rotate");
    assert_eq!(names("rotate, flip-vertical").unwrap(), "flip-vertical rotate");
    assert_eq!(names("brightness,zoom").unwrap(), "zoom brightness");
    let sentence = "'mirror' is not a known change; give some of flip, flip-horizontal, flip-vertical, shift, rotate, \
                    zoom, brightness";
    assert_eq!(names("flip,mirror").unwrap_err(), sentence);
    assert!(names("").is_err());
}
