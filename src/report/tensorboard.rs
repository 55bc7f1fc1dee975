//! Event files for TensorBoard: scalars, histograms and images by step.
//!
//! A file is a sequence of records, each a message `Event` of TensorFlow's `event.proto`:
//!
//! ```text
//! u64 length · u32 masked CRC-32C of these 8 bytes · the message · u32 masked CRC-32C of the message
//! ```
//!
//! all little-endian, and masked(c) = rotate_right(c, 15) + 0xa282ead8, so that a checksum of data that hold
//! checksums does not hide a fault. (`record_writer.cc` and `crc32c.h` of TensorFlow.)

use crate::exchange::protobuf::Message;
use std::time::{SystemTime, UNIX_EPOCH};

/// Buckets of a histogram.
const BUCKETS: usize = 30;

/// The records of an event file.
#[derive(Clone, Debug)]
pub struct EventLog(Vec<u8>);

impl EventLog {
    /// A log that begins now, with the record that every event file begins with.
    pub fn new() -> EventLog {
        let mut log = EventLog(Vec::new());
        let mut event = Message::new();
        event.double(1, now()).string(3, "brain.Event:2");
        log.record(event);
        log
    }

    /// Adds numbers of a step, each with its tag, `loss/training`.
    pub fn scalars<'a>(&mut self, step: usize, values: impl IntoIterator<Item = (&'a str, f64)>) {
        let mut summary = Message::new();
        for (tag, value) in values {
            let mut one = Message::new();
            one.string(1, tag).float(2, value as f32);
            summary.message(1, &one);
        }
        self.summary(step, &summary);
    }

    /// Adds the distribution of a tensor's values: 30 buckets of one width from the least to the largest.
    /// Values that are not finite are left out.
    pub fn histogram(&mut self, step: usize, tag: &str, values: &[f32]) {
        let finite = || values.iter().copied().filter(|value| value.is_finite()).map(f64::from);
        let (least, most) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        if least > most {
            return;
        }
        // Values that are all equal fill the middle of buckets around them.
        let width = if most > least { (most - least) / BUCKETS as f64 } else { least.abs().max(1e-12) * 1e-3 };
        let first = if most > least { least } else { least - width * BUCKETS as f64 / 2.0 };
        let mut counts = [0.0; BUCKETS];
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for value in finite() {
            counts[(((value - first) / width) as usize).min(BUCKETS - 1)] += 1.0;
            (count, sum, squares) = (count + 1.0, sum + value, squares + value * value);
        }
        let packed = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let limits: Vec<f64> = (1..=BUCKETS).map(|bucket| first + width * bucket as f64).collect();
        let mut histogram = Message::new();
        histogram.double(1, least).double(2, most).double(3, count).double(4, sum).double(5, squares);
        histogram.bytes(6, &packed(&limits)).bytes(7, &packed(&counts));
        let mut one = Message::new();
        one.string(1, tag).message(5, &histogram);
        let mut summary = Message::new();
        summary.message(1, &one);
        self.summary(step, &summary);
    }

    /// Adds a picture, as the bytes of its PNG, of so many channels.
    pub fn image(&mut self, step: usize, tag: &str, [height, width, channels]: [usize; 3], png: &[u8]) {
        let mut image = Message::new();
        image.varint(1, height as u64).varint(2, width as u64).varint(3, channels as u64).bytes(4, png);
        let mut one = Message::new();
        one.string(1, tag).message(4, &image);
        let mut summary = Message::new();
        summary.message(1, &one);
        self.summary(step, &summary);
    }

    /// Returns the bytes of the file so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn summary(&mut self, step: usize, summary: &Message) {
        let mut event = Message::new();
        event.double(1, now()).varint(2, step as u64).message(5, summary);
        self.record(event);
    }

    fn record(&mut self, event: Message) {
        let bytes = event.into_bytes();
        let length = (bytes.len() as u64).to_le_bytes();
        for part in [&length[..], &bytes] {
            self.0.extend_from_slice(part);
            self.0.extend(masked(crc32c::crc32c(part)).to_le_bytes());
        }
    }
}

impl Default for EventLog {
    fn default() -> EventLog {
        EventLog::new()
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// A checksum as it stands in the file.
fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::protobuf::{Fields, Value};

    /// The messages of a file, whose checksums are right.
    fn messages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let (head, rest) = bytes.split_at(12);
            let length = u64::from_le_bytes(head[..8].try_into().unwrap()) as usize;
            assert_eq!(head[8..], masked(crc32c::crc32c(&head[..8])).to_le_bytes());
            let (message, rest) = rest.split_at(length);
            let (checksum, rest) = rest.split_at(4);
            assert_eq!(checksum, masked(crc32c::crc32c(message)).to_le_bytes());
            found.push(message.to_vec());
            bytes = rest;
        }
        found
    }

    /// The bytes of a field.
    fn field(message: &[u8], number: u32) -> Vec<u8> {
        let fields = Fields::new(message).map(|field| field.unwrap());
        let found = fields.filter(|(found, _)| *found == number).map(|(_, value)| match value {
            Value::Bytes(bytes) => bytes.to_vec(),
            Value::Fixed32(bytes) => bytes.to_vec(),
            Value::Fixed64(bytes) => bytes.to_vec(),
            Value::Varint(value) => value.to_le_bytes().to_vec(),
        });
        found.last().unwrap_or_else(|| panic!("no field {number}"))
    }

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720, B.4: 32 bytes of zeros.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn a_log_begins_with_its_version_and_holds_what_was_added() {
        let mut log = EventLog::new();
        log.scalars(3, [("loss/training", 0.5), ("loss/validation", 0.25)]);
        log.histogram(3, "conv2d/kernel", &[-1.0, 0.0, 0.0, 2.0, f32::NAN]);
        log.histogram(3, "all equal", &[0.0; 7]);
        log.histogram(3, "no number", &[f32::NAN]);
        log.image(0, "images/cat", [2, 3, 1], b"png");
        let messages = messages(log.as_bytes());
        assert_eq!(messages.len(), 5, "a histogram of no number is none");
        assert_eq!(field(&messages[0], 3), b"brain.Event:2");
        assert_eq!(field(&messages[1], 2), 3u64.to_le_bytes());
        let last = field(&field(&messages[1], 5), 1);
        assert_eq!((field(&last, 1), field(&last, 2)), (b"loss/validation".to_vec(), 0.25f32.to_le_bytes().to_vec()));
        let histogram = field(&field(&field(&messages[2], 5), 1), 5);
        let number = |n: u32| f64::from_le_bytes(field(&histogram, n).try_into().unwrap());
        assert_eq!([1, 2, 3, 4, 5].map(number), [-1.0, 2.0, 4.0, 1.0, 5.0]);
        let doubles = |n: u32| -> Vec<f64> {
            let bytes = field(&histogram, n);
            bytes.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
        };
        let (limits, counts) = (doubles(6), doubles(7));
        assert!(limits.len() == BUCKETS && (limits[BUCKETS - 1] - 2.0).abs() < 1e-12);
        assert_eq!((counts[0], counts[10], counts[29], counts.iter().sum::<f64>()), (1.0, 2.0, 1.0, 4.0));
        let equal = field(&field(&field(&messages[3], 5), 1), 5);
        assert_eq!(f64::from_le_bytes(field(&equal, 3).try_into().unwrap()), 7.0);
        let image = field(&field(&field(&messages[4], 5), 1), 4);
        assert_eq!((field(&image, 1), field(&image, 4)), (2u64.to_le_bytes().to_vec(), b"png".to_vec()));
    }
}
