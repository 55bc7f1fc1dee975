//! Protocol buffers on the wire, as far as ONNX needs them: a message is a sequence of fields, each a number,
//! one of four wire types, and a value (<https://protobuf.dev/programming-guides/encoding>).
//!
//! | wire type | value | here |
//! |---|---|---|
//! | 0 | varint: 7 bits a byte, the lowest first, the top bit where more follow | [`Message::varint`] |
//! | 1 | 8 bytes, little-endian | [`Message::double`] |
//! | 2 | a length as varint, and so many bytes: text, bytes, a message, packed numbers | [`Message::bytes`] |
//! | 5 | 4 bytes, little-endian | [`Message::float`] |
//!
//! What reads borrows from the bytes and takes no memory of its own, so no length in a file costs any.

/// The number of bits of a varint's byte that are the number's own.
const VARINT_BITS: u32 = 7;

/// The bytes of a message that is being written. Fields are written in the order of the calls.
#[derive(Clone, Debug, Default)]
pub struct Message(Vec<u8>);

impl Message {
    /// A message without fields.
    pub fn new() -> Message {
        Message::default()
    }

    /// Writes a field of wire type 0: an unsigned number, an enum or a bool.
    pub fn varint(&mut self, field: u32, value: u64) -> &mut Message {
        self.key(field, WireType::Varint);
        self.push_varint(value);
        self
    }

    /// Writes a field of type `int64`: of a negative number the two's complement, ten bytes.
    pub fn int(&mut self, field: u32, value: i64) -> &mut Message {
        self.varint(field, value as u64)
    }

    /// Writes a field of type `float`.
    pub fn float(&mut self, field: u32, value: f32) -> &mut Message {
        self.key(field, WireType::Fixed32);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Writes a field of type `double`.
    pub fn double(&mut self, field: u32, value: f64) -> &mut Message {
        self.key(field, WireType::Fixed64);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Writes a field of type `bytes`.
    pub fn bytes(&mut self, field: u32, value: &[u8]) -> &mut Message {
        self.key(field, WireType::Length);
        self.push_varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// Writes a field of type `string`.
    pub fn string(&mut self, field: u32, value: &str) -> &mut Message {
        self.bytes(field, value.as_bytes())
    }

    /// Writes a field that is a message.
    pub fn message(&mut self, field: u32, value: &Message) -> &mut Message {
        self.bytes(field, &value.0)
    }

    /// Returns the bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn key(&mut self, field: u32, wire_type: WireType) {
        self.push_varint(u64::from(field) << 3 | wire_type as u64);
    }

    fn push_varint(&mut self, mut value: u64) {
        while value >> VARINT_BITS != 0 {
            self.0.push(value as u8 | 0x80);
            value >>= VARINT_BITS;
        }
        self.0.push(value as u8);
    }
}

/// The wire types that are in use; those of groups, 3 and 4, are not.
#[derive(Clone, Copy)]
enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Length = 2,
    Fixed32 = 5,
}

/// The value of a field that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64([u8; 8]),
    /// Wire type 2.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32([u8; 4]),
}

impl<'a> Value<'a> {
    /// Returns a number, an enum or a bool.
    ///
    /// # Errors
    /// A phrase, where the field has another wire type. So of those that follow.
    pub fn int(self) -> Result<i64, String> {
        match self {
            Value::Varint(value) => Ok(value as i64),
            _ => Err("a field that is a number is of another kind".into()),
        }
    }

    /// Returns a `float`.
    ///
    /// # Errors
    /// A phrase.
    pub fn float(self) -> Result<f32, String> {
        match self {
            Value::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err("a field that is a float is of another kind".into()),
        }
    }

    /// Returns bytes, or those of a message.
    ///
    /// # Errors
    /// A phrase.
    pub fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err("a field with a length is of another kind".into()),
        }
    }

    /// Returns text.
    ///
    /// # Errors
    /// A phrase, also where it is not UTF-8.
    pub fn string(self) -> Result<&'a str, String> {
        std::str::from_utf8(self.bytes()?).map_err(|_| "a text in it is not UTF-8".into())
    }

    /// Appends the numbers of a repeated field to `values`: one, or many that are packed.
    ///
    /// # Errors
    /// A phrase.
    pub fn push_ints(self, values: &mut Vec<i64>) -> Result<(), String> {
        match self {
            Value::Bytes(mut packed) => {
                while !packed.is_empty() {
                    values.push(take_varint(&mut packed)? as i64);
                }
                Ok(())
            }
            _ => self.int().map(|value| values.push(value)),
        }
    }

    /// Appends the floats of a repeated field to `values`: one, or many that are packed.
    ///
    /// # Errors
    /// A phrase.
    pub fn push_floats(self, values: &mut Vec<f32>) -> Result<(), String> {
        match self {
            Value::Bytes(packed) => {
                let (floats, rest) = packed.as_chunks::<4>();
                values.extend(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)));
                if rest.is_empty() { Ok(()) } else { Err("packed floats are cut short".into()) }
            }
            _ => self.float().map(|value| values.push(value)),
        }
    }
}

/// The fields of a message, in the order in which they stand: their numbers and values, or a phrase on what
/// is broken, after which there is no more.
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields in the bytes of a message.
    pub fn new(message: &'a [u8]) -> Fields<'a> {
        Fields(message)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("a field reaches over its end")?;
        self.0 = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u32, Value<'a>), String> {
        let key = take_varint(&mut self.0)?;
        let number = u32::try_from(key >> 3).map_err(|_| "a field's number is too large")?;
        let value = match key & 7 {
            0 => Value::Varint(take_varint(&mut self.0)?),
            1 => Value::Fixed64(self.take(8)?.try_into().expect("8 bytes")),
            2 => {
                let length = take_varint(&mut self.0)?;
                Value::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => Value::Fixed32(self.take(4)?.try_into().expect("4 bytes")),
            other => return Err(format!("a field is of the unknown wire type {other}")),
        };
        Ok((number, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// Takes a varint from the front.
fn take_varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(VARINT_BITS as usize) {
        let (&byte, rest) = bytes.split_first().ok_or("a number is cut short")?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number has more than ten bytes".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        // Its own examples: 150 in field 1, "testing" in field 2, and a message of the first in field 3.
        let mut inner = Message::new();
        inner.varint(1, 150);
        assert_eq!(inner.0, [0x08, 0x96, 0x01]);
        let mut message = Message::new();
        message.string(2, "testing").message(3, &inner);
        assert_eq!(message.into_bytes(), b"\x12\x07testing\x1a\x03\x08\x96\x01");
        let mut fixed = Message::new();
        fixed.float(1, 1.0).double(2, -2.0).int(3, -1);
        let bytes = b"\x0d\0\0\x80\x3f\x11\0\0\0\0\0\0\0\xc0\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(fixed.into_bytes(), bytes);
    }

    #[test]
    fn what_was_written_is_read() {
        let numbers = [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX >> 1, u64::MAX];
        for value in numbers {
            let mut message = Message::new();
            message.varint(7, value).float(16, 0.5).bytes(3, b"abc").double(9, 0.25).string(2_000_000, "ü");
            let bytes = message.into_bytes();
            let fields: Vec<_> = Fields::new(&bytes).collect::<Result<_, _>>().unwrap();
            let expected = [
                (7, Value::Varint(value)),
                (16, Value::Fixed32(0.5f32.to_le_bytes())),
                (3, Value::Bytes(b"abc")),
                (9, Value::Fixed64(0.25f64.to_le_bytes())),
                (2_000_000, Value::Bytes("ü".as_bytes())),
            ];
            assert_eq!(fields, expected);
            assert_eq!(fields[0].1.int().unwrap(), value as i64);
            assert_eq!((fields[1].1.float().unwrap(), fields[4].1.string().unwrap()), (0.5, "ü"));
        }
    }

    #[test]
    fn repeated_numbers_are_read_packed_or_one_by_one() {
        let (mut ints, mut floats) = (Vec::new(), Vec::new());
        Value::Bytes(b"\x03\x8e\x02").push_ints(&mut ints).unwrap();
        Value::Varint(u64::MAX).push_ints(&mut ints).unwrap();
        assert_eq!(ints, [3, 270, -1]);
        Value::Bytes(&[0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]).push_floats(&mut floats).unwrap();
        Value::Fixed32(3.0f32.to_le_bytes()).push_floats(&mut floats).unwrap();
        assert_eq!(floats, [1.0, 2.0, 3.0]);
        assert!(Value::Bytes(&[0, 0, 0x80]).push_floats(&mut floats).is_err());
    }

    #[test]
    fn broken_messages_end_in_a_phrase_and_nothing_after_it() {
        for broken in [
            &b"\x08"[..],
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x12\x05four",
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
            b"\x0d\0\0",
            b"\x0b",
        ] {
            let mut fields = Fields::new(broken);
            assert!(fields.next().unwrap().is_err(), "{broken:?}");
            assert!(fields.next().is_none());
        }
        assert!(Value::Bytes(b"\xff").string().is_err() && Value::Varint(1).bytes().is_err());
    }
}
