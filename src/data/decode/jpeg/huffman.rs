//! Huffman codes, and the bits they are read from (ITU-T T.81, annexes C and F.2.2).

/// Bits that are looked up at once; longer codes, which are rare, are compared with each length's largest.
const LOOK_AHEAD: u32 = 9;

/// A code that no symbol has.
#[derive(Debug, PartialEq, Eq)]
pub struct NoSuchCode;

/// A Huffman table.
pub struct Table {
    /// For each start of [`LOOK_AHEAD`] bits the code's length and its symbol; length 0 where the code is
    /// longer.
    short: Box<[(u8, u8); 1 << LOOK_AHEAD]>,
    /// For each length the first code that is longer, aligned to the left in 16 bits.
    limits: [u32; 17],
    /// For each length what a code's number must be lowered by to be its symbol's place.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    /// Returns the table of a segment's counts, codes of 1 to 16 bits, and symbols; `None` where there are
    /// more codes of a length than that has room for.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Table> {
        let mut table = Table {
            short: Box::new([(0, 0); 1 << LOOK_AHEAD]),
            limits: [0; 17],
            offsets: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut place) = (0u32, 0usize);
        for length in 1..=16u32 {
            let count = usize::from(counts[length as usize - 1]);
            table.offsets[length as usize] = place as i32 - code as i32;
            if code + count as u32 > 1 << length {
                return None;
            }
            for symbol in symbols.get(place..place + count)? {
                if let Some(free) = LOOK_AHEAD.checked_sub(length) {
                    let first = (code << free) as usize;
                    table.short[first..first + (1 << free)].fill((length as u8, *symbol));
                }
                code += 1;
            }
            place += count;
            table.limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }

    /// Returns the next symbol.
    #[inline(always)]
    pub fn symbol(&self, bits: &mut Bits) -> Result<u8, NoSuchCode> {
        self.symbol_and(bits, |_| 0)
    }

    /// Returns the next symbol, passing over the bits of the value that follows it: as many as its lower half
    /// says.
    #[inline(always)]
    pub fn symbol_and_value(&self, bits: &mut Bits) -> Result<u8, NoSuchCode> {
        self.symbol_and(bits, |symbol| u32::from(symbol & 15))
    }

    /// Returns the next symbol, passing over `more` bits, 15 at the most, after its code: both at once, as
    /// code and value are together shorter than what the buffer holds.
    #[inline(always)]
    fn symbol_and(&self, bits: &mut Bits, more: impl Fn(u8) -> u32) -> Result<u8, NoSuchCode> {
        bits.fill();
        let next = bits.peek(16);
        let (length, symbol) = self.short[(next >> (16 - LOOK_AHEAD)) as usize];
        if length > 0 {
            bits.skip(u32::from(length) + more(symbol));
            return Ok(symbol);
        }
        let length = (LOOK_AHEAD + 1..=16).find(|&length| next < self.limits[length as usize]).ok_or(NoSuchCode)?;
        let place = (next >> (16 - length)) as i32 + self.offsets[length as usize];
        let symbol = self.symbols.get(place as usize).copied().ok_or(NoSuchCode)?;
        bits.skip(length + more(symbol));
        Ok(symbol)
    }
}

/// The bits of a segment of entropy-coded data: the bytes between two markers, in which `FF 00` is the byte
/// `FF`. After its end come zeros.
pub struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, from the top.
    buffer: u64,
    count: u32,
    /// The number of the buffer's last bits that are not the segment's.
    made_up: u32,
}

impl Bits<'_> {
    /// Returns all bits of a segment.
    pub fn new(data: &[u8]) -> Bits<'_> {
        Bits { data, at: 0, buffer: 0, count: 0, made_up: 0 }
    }

    /// Brings at least 32 bits into the buffer.
    #[inline(always)]
    fn fill(&mut self) {
        if self.count > 32 {
            return;
        }
        if let Some(&[a, b, c, d]) = self.data.get(self.at..self.at + 4).and_then(|four| four.first_chunk::<4>()) {
            let four = u32::from_be_bytes([a, b, c, d]);
            // Whether a byte is FF: one of the complement's is zero.
            if (!four).wrapping_sub(0x0101_0101) & four & 0x8080_8080 == 0 {
                self.buffer |= u64::from(four) << (32 - self.count);
                self.count += 32;
                self.at += 4;
                return;
            }
        }
        while self.count <= 32 {
            let byte = match self.data.get(self.at) {
                Some(&byte) => {
                    // The zero that follows an FF is none of the data.
                    self.at += 1 + usize::from(byte == 0xFF);
                    byte
                }
                None => {
                    self.made_up += 8;
                    0
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    #[inline(always)]
    fn peek(&self, bits: u32) -> u32 {
        (self.buffer >> 48) as u32 >> (16 - bits)
    }

    /// Passes over at most 32 bits, which are in the buffer.
    #[inline(always)]
    fn skip(&mut self, bits: u32) {
        self.buffer <<= bits;
        self.count -= bits;
    }

    /// Passes over any number of bits.
    pub fn pass(&mut self, mut bits: u32) {
        while bits > 0 {
            self.fill();
            let some = bits.min(16);
            self.skip(some);
            bits -= some;
        }
    }

    /// Returns the number that the next bits are, 15 at the most.
    pub fn number(&mut self, bits: u32) -> u32 {
        self.fill();
        let number = self.peek(bits);
        self.skip(bits);
        number
    }

    /// Returns whether more bits were read than there are.
    pub fn is_short(&self) -> bool {
        self.count < self.made_up
    }

    /// Returns the bytes of the segment that are read, if only in part.
    pub fn bytes_read(&self) -> usize {
        let mut unread = self.count.saturating_sub(self.made_up) / 8;
        let mut at = self.at.min(self.data.len());
        while unread > 0 {
            at -= if at >= 2 && self.data[at - 2..at] == [0xFF, 0] { 2 } else { 1 };
            unread -= 1;
        }
        at
    }
}
